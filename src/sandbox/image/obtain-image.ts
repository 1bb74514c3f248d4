import type Docker from 'dockerode';
import path from 'node:path';
import { EngineError, type Engine } from '../engine.ts';
import type { ImageReference } from './parse-reference.ts';
import { pullImage, type PullOptions } from './pull-image.ts';

/** An image the engine has, and what of its configuration a sandbox keeps. */
export type ObtainedImage = {
  /** as the user wrote it */
  reference: string;
  /** the engine's name for exactly these files: a tag may move */
  id: string;
  /** `NAME@sha256:…` as its registry knows it; its ID where it is from no registry */
  digest: string;
  environment: Readonly<Record<string, string>>;
  /** absolute, normalised */
  volumes: readonly string[];
  /** absolute; null: none */
  workingDirectory: string | null;
  /** a snapshot, whose home directory is kept */
  isSnapshot?: boolean;
};

/**
 * The image as the engine has it, without asking a registry; else pulled.
 * @throws EngineError where there is none, or none for this machine
 */
export async function obtainImage(engine: Engine, options: PullOptions): Promise<ObtainedImage> {
  const { reference } = options;
  let found = await inspectImage(engine, reference.text);
  if (found === null) {
    await pullImage(engine, options);
    found = await inspectImage(engine, reference.text);
  }
  if (found === null) throw new EngineError(`the engine pulled ${JSON.stringify(reference.text)} and does not have it: pull it before, with \`docker pull\``);
  checkPlatform(found, reference);
  return { reference: reference.text, id: found.Id, digest: digestOf(found, reference), ...configurationOf(found) };
}

/** What a sandbox keeps of an image's configuration. */
export function configurationOf({ Config: { Env, Volumes, WorkingDir } }: Docker.ImageInspectInfo): Pick<ObtainedImage, 'environment' | 'volumes' | 'workingDirectory'> {
  return {
    environment: parseEnvironment(Env ?? []),
    volumes: [...new Set(Object.keys(Volumes ?? {}).map((volume) => path.posix.join('/', volume).replace(/(?<=.)\/$/, '')))],
    workingDirectory: WorkingDir ? path.posix.join('/', WorkingDir) : null,
  };
}

/** null where the engine has none of that name or ID */
export async function inspectImage(engine: Engine, name: string): Promise<Docker.ImageInspectInfo | null> {
  try {
    return await engine.docker.getImage(name).inspect();
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}

/** The engine only warns, and what it starts then fails in ways that say nothing. */
function checkPlatform({ Os, Architecture }: Docker.ImageInspectInfo, { text }: ImageReference): void {
  const own = process.arch === 'x64' ? 'amd64' : process.arch;
  if ((Os === '' || Os === 'linux') && (Architecture === '' || Architecture === own)) return;
  throw new EngineError(`the image ${JSON.stringify(text)} is made for ${Os}/${Architecture}, this machine is linux/${own}: use one that is made for it; where the engine has the wrong one, remove that first with \`docker rmi\``);
}

function digestOf({ Id, RepoDigests }: Docker.ImageInspectInfo, { registry, repository, version }: ImageReference): string {
  const digests = RepoDigests ?? [];
  const names = [`${registry}/${repository}`, repository, repository.replace(/^library\//, '')];
  const own = digests.filter((digest) => names.includes(digest.split('@')[0] as string));
  return own.find((digest) => digest.endsWith(`@${version}`)) ?? own[0] ?? digests[0] ?? Id;
}

function parseEnvironment(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line): [string, string] => {
    const equals = line.indexOf('=');
    return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
  }));
}
