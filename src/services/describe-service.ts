import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { EngineError } from '../sandbox/engine.ts';
import { imagePath } from '../sandbox/image/image-environment.ts';
import type { ImageLayout } from '../sandbox/image/image-layout.ts';
import type { Command } from '../sandbox/sandbox.ts';
import { trustEnvironment } from '../trust/environment.ts';
import type { ServiceRequest } from './service-request.ts';

/** What an image says of how it is run: the author's words. */
export type ImageCommand = { entrypoint: readonly string[]; command: readonly string[]; user: string };

export function imageCommand({ Config }: Docker.ImageInspectInfo): ImageCommand {
  return { entrypoint: list(Config.Entrypoint), command: list(Config.Cmd), user: Config.User ?? '' };
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : typeof value === 'string' && value !== '' ? [value] : [];
}

export type DescribedService = { command: Command; user: { uid: number; gid: number } };

/** What Decoy's init is told to run: as `docker run` would, with the environment written anew and no secret in it. */
export function describeService(request: ServiceRequest, { own, layout }: { own: ImageCommand; layout: ImageLayout }): DescribedService {
  const entrypoint = request.entrypoint ?? own.entrypoint;
  // As with Docker: another entrypoint leaves the image's command behind.
  const command = request.command ?? (request.entrypoint === null ? own.command : []);
  const argv = [...entrypoint, ...command];
  if (argv.length === 0) throw new EngineError(`services: service \`${request.name}\`: the image ${JSON.stringify(request.image.text)} has no command of its own: write \`command\``);
  const account = findAccount(own.user, layout.accounts);
  if (account === null) throw new EngineError(`services: service \`${request.name}\`: the image ${JSON.stringify(request.image.text)} wants to run as ${JSON.stringify(own.user)}, whom its /etc/passwd and /etc/group do not have: use another image`);
  return {
    user: { uid: account.uid, gid: account.gid },
    command: {
      argv, directory: layout.image.workingDirectory ?? '/', token: randomBytes(16).toString('hex'),
      environment: {
        ...layout.image.environment, PATH: imagePath(layout.image), HOME: account.home,
        ...trustEnvironment({ bundle: '/decoy/bundle.pem', authority: '/decoy/ca.pem', trustStore: '/decoy/truststore.p12' }),
        ...request.env,
      },
    },
  };
}

/** Of `USER`: a name or number, and a group behind a colon; null where it is none of the image's. */
export function findAccount(text: string, { passwd, group }: { passwd: string; group: string }): { uid: number; gid: number; home: string } | null {
  const [user = '', groupName] = (text === '' ? '0' : text).split(':');
  const people = rows(passwd).filter((row) => row.length >= 6);
  const person = people.find(([name]) => name === user) ?? people.find(([, , uid]) => uid === user);
  const uid = numberOf(person?.[2] ?? user);
  const gid = groupName === undefined ? numberOf(person?.[3] ?? '0') : numberOf(rows(group).find(([name]) => name === groupName)?.[2] ?? groupName);
  return uid === null || gid === null ? null : { uid, gid, home: person?.[5] || '/' };
}

function rows(text: string): string[][] {
  return text.split('\n').map((line) => line.split(':'));
}

function numberOf(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
