import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { docker } from '../guest-image.ts';
import { runDecoy } from './run-decoy.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const configurationFile = '/etc/docker/daemon.json';

/** The program scripts/install-runsc.sh builds, once a machine. */
export async function builtRunsc(): Promise<string> {
  const script = path.resolve(import.meta.dirname, '../../../scripts/install-runsc.sh');
  return (await promisify(execFile)('sh', [script], { encoding: 'utf8' })).stdout.trim();
}

export type Release = Upstream & { environment: Record<string, string> };

/** A place gVisor can be fetched from: a program and its digest, or what is given for one. */
export async function openRelease(program: string, { digest }: { digest?: string } = {}): Promise<Release> {
  const content = readFileSync(program);
  const published = digest ?? createHash('sha512').update(content).digest('hex');
  const upstream = await startUpstream((request, response) => {
    response.end(request.url === '/runsc' ? content : request.url === '/runsc.sha512' ? `${published}  runsc\n` : '');
  });
  return Object.assign(upstream, { environment: { ...upstream.env, DECOY_RUNSC_URL: `https://localhost:${upstream.port}/runsc` } });
}

/** Where the tests' own gVisor stays, for as long as the engine has it registered. */
export const lastingCache = path.join(os.homedir(), '.cache', 'decoy-tests');

/** Has the engine's `runsc` be there, by the way a user gets it. */
export async function ensureRunsc(): Promise<void> {
  if (await hasRuntime('runsc')) return;
  await using release = await openRelease(await builtRunsc());
  const end = await runDecoy(['--quiet', '--workspace', 'none', '--runtime', 'runsc', '--', 'true'], { env: { ...release.environment, XDG_CACHE_HOME: lastingCache } });
  if (end.exitCode !== 0) throw new Error(`gVisor could not be registered: ${end.stderr}`);
}

export async function hasRuntime(name: string): Promise<boolean> {
  return Object.hasOwn(JSON.parse((await docker(['info', '--format', '{{json .Runtimes}}'])).stdout) as object, name);
}

/**
 * Gives the engine another configuration file until it is disposed of; the engine reads it again, its containers go on. `runtimes`: those it
 * has at all; `text`: the file as it is to be after that, which the engine is not told of.
 */
export async function configureEngine({ runtimes, text }: { runtimes: Record<string, unknown>; text?: string | null }): Promise<AsyncDisposable> {
  const before = existsSync(configurationFile) ? readFileSync(configurationFile, 'utf8') : null;
  const former = ((before === null ? {} : JSON.parse(before)) as { runtimes?: object }).runtimes ?? {};
  await reload(`${JSON.stringify({ runtimes })}\n`, runtimes);
  if (text !== undefined) put(text);
  return {
    [Symbol.asyncDispose]: async () => {
      await reload(`${JSON.stringify({ runtimes: former })}\n`, former);
      put(before);
    },
  };
}

export function readConfiguration(): string | null {
  return existsSync(configurationFile) ? readFileSync(configurationFile, 'utf8') : null;
}

function put(text: string | null): void {
  if (text === null) rmSync(configurationFile, { force: true });
  else writeFileSync(configurationFile, text);
}

async function reload(text: string, wanted: object): Promise<void> {
  put(text);
  process.kill(Number(readFileSync('/var/run/docker.pid', 'utf8')), 'SIGHUP');
  const ours = async () => Object.keys(JSON.parse((await docker(['info', '--format', '{{json .Runtimes}}'])).stdout) as object).filter((name) => name !== 'runc' && !name.startsWith('io.')).sort();
  const names = Object.keys(wanted).sort().join();
  for (const deadline = performance.now() + 20_000; (await ours()).join() !== names;) {
    if (performance.now() > deadline) throw new Error(`the engine has ${(await ours()).join()}, not ${names}`);
    await sleep(50);
  }
}
