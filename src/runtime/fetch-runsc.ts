import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { downloadTool, find } from '@actions/tool-cache';
import { keepInCache } from './keep-in-cache.ts';
import { releaseUrl } from './release.ts';
import type { RunscSource } from './runsc-source.ts';
import { ownedPrefix } from '../owned-directory.ts';

export type FetchOptions = { source: RunscSource | undefined; signal: AbortSignal; onProgress(text: string): void };

/** A tool of @actions/tool-cache has a name and a version. */
const TOOL = 'runsc';

/**
 * gVisor's program, from the tool cache or else from its release, checked against the digest published next to it and against the one that was given.
 * @returns the absolute path of the program; an empty one where the run was cancelled meanwhile
 * @throws Error telling which step failed, with the remedy; nothing unchecked is ever left in the cache
 */
export async function fetchRunsc({ source, signal, onProgress }: FetchOptions): Promise<string> {
  const { url, pinned, version, cached } = await findRunsc(source);
  if (cached !== null) return cached;
  onProgress(`fetching gVisor from ${url}`);
  const folder = await fs.mkdtemp(ownedPrefix('runsc'));
  try {
    const cancelled = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
    const fetched = await Promise.race([fetchChecked({ url, pinned, folder }), cancelled]);
    if (fetched === null) return '';
    const { file, digest } = fetched;
    return await keepInCache(file, { tool: TOOL, version, isSame: async (kept) => await digestOf(kept) === digest });
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

/**
 * Where gVisor's program would come from: `cached` is its path where it is in the tool cache already, else null.
 * @throws Error where the machine's environment names no place it can come from
 */
export async function findRunsc({ url: given, sha512, cacheDirectory }: RunscSource = { cacheDirectory: path.join(os.tmpdir(), 'decoy-tools') }): Promise<{ url: string; pinned: string | null; version: string; cached: string | null }> {
  const url = checkUrl(given ?? releaseUrl(process.arch));
  const pinned = checkDigest(sha512);
  // The package knows its place by this variable alone, which runners set.
  process.env['RUNNER_TOOL_CACHE'] ||= cacheDirectory;
  const version = versionOf(url);
  const directory = find(TOOL, version);
  const file = path.join(directory, TOOL);
  const isCached = directory !== '' && (pinned === null || await digestOf(file) === pinned);
  return { url, pinned, version, cached: isCached ? file : null };
}

async function fetchChecked({ url, pinned, folder }: { url: string; pinned: string | null; folder: string }): Promise<{ file: string; digest: string }> {
  const file = path.join(folder, TOOL);
  await Promise.all([download(url, file), download(`${url}.sha512`, `${file}.sha512`)]);
  const published = /^([0-9a-f]{128})(?:\s|$)/i.exec(await fs.readFile(`${file}.sha512`, 'latin1'))?.[1]?.toLowerCase();
  if (published === undefined) throw new Error(`gVisor was not used: what ${url}.sha512 holds is not a SHA-512 digest; correct DECOY_RUNSC_URL, or use \`runtime: runc\``);
  const digest = await digestOf(file);
  if (digest !== published) throw new Error(`gVisor was not used: the SHA-512 of ${url} is ${digest}, not ${published} as its .sha512 says; try again, and do not use that place if it stays so`);
  if (pinned !== null && digest !== pinned) throw new Error(`gVisor was not used: the SHA-512 of ${url} is ${digest}, not ${pinned} as DECOY_RUNSC_SHA512 says; correct the variable if you meant this release, and do not use that place if you did`);
  await fs.chmod(file, 0o755);
  return { file, digest };
}

async function download(url: string, file: string): Promise<void> {
  await downloadTool(url, file).catch((error: Error) => {
    throw new Error(`cannot fetch gVisor from ${url}: ${error.message}; install it and register it as \`runsc\` beforehand, set DECOY_RUNSC_URL to a mirror, or use \`runtime: runc\``);
  });
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'https:' || url.username !== '' || url.search !== '' || url.hash !== '') throw new Error(`DECOY_RUNSC_URL=${JSON.stringify(text)} is not an address gVisor is fetched from: write https://HOST/PATH/runsc, without login, query and fragment`);
  return url.href;
}

function checkDigest(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (!/^[0-9a-f]{128}$/i.test(text.trim())) throw new Error(`DECOY_RUNSC_SHA512=${JSON.stringify(text)} is not a SHA-512 digest: write its 128 hex digits, as \`sha512sum runsc\` prints them`);
  return text.trim().toLowerCase();
}

/** Another place is another version to the cache: a semantic one, as it asks for. */
function versionOf(url: string): string {
  return `0.0.0-u${createHash('sha256').update(url).digest('hex').slice(0, 16)}`;
}
