import fs from 'node:fs/promises';
import path from 'node:path';
import { cacheFile, find } from '@actions/tool-cache';
import { holdLock } from './hold-lock.ts';

/**
 * Puts a checked program into the tool cache. The package empties the place before it copies; with several Decoys at once, one would take
 * away what another has just registered, so one at a time does it, and the second finds what the first put there.
 */
export async function keepInCache(file: string, { tool, version, isSame }: { tool: string; version: string; isSame(kept: string): Promise<boolean> }): Promise<string> {
  const cache = process.env['RUNNER_TOOL_CACHE'] as string;
  await fs.mkdir(cache, { recursive: true });
  await using _lock = await holdLock(path.join(cache, `${tool}-${version}.lock`));
  const kept = find(tool, version);
  if (kept !== '' && await isSame(path.join(kept, tool))) return path.join(kept, tool);
  return path.join(await cacheFile(file, tool, tool, version), tool);
}
