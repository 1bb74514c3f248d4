import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFile, find } from '@actions/tool-cache';

const LOCK_MS = 60_000;
const LOOK_AGAIN_MS = 100;

/**
 * Puts a checked program into the tool cache. The package empties the place before it copies; with several Decoys at once, one would take
 * away what another has just registered, so one at a time does it, and the second finds what the first put there.
 */
export async function keepInCache(file: string, { tool, version, isSame }: { tool: string; version: string; isSame(kept: string): Promise<boolean> }): Promise<string> {
  const cache = process.env['RUNNER_TOOL_CACHE'] as string;
  await fs.mkdir(cache, { recursive: true });
  const lock = path.join(cache, `${tool}-${version}.lock`);
  await take(lock);
  try {
    const kept = find(tool, version);
    if (kept !== '' && await isSame(path.join(kept, tool))) return path.join(kept, tool);
    return path.join(await cacheFile(file, tool, tool, version), tool);
  } finally {
    await fs.rmdir(lock);
  }
}

async function take(lock: string): Promise<void> {
  const deadline = performance.now() + LOCK_MS;
  for (;;) {
    const taken = await fs.mkdir(lock).then(() => true, (error: NodeJS.ErrnoException) => { if (error.code === 'EEXIST') return false; throw error; });
    if (taken) return;
    if (performance.now() > deadline) throw new Error(`another Decoy has been putting gVisor into the tool cache for a minute: if there is none, remove the directory ${lock}`);
    await sleep(LOOK_AGAIN_MS);
  }
}
