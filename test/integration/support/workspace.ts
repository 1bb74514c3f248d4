import { cpSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

export const probes = path.resolve(import.meta.dirname, '../probes');

/** A fresh directory with the probes in it: what Decoy is started in. */
export type Workspace = { path: string; [Symbol.asyncDispose](): Promise<void> };

export async function openWorkspace(): Promise<Workspace> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'integration-workspace-'));
  cpSync(probes, path.join(folder, 'probes'), { recursive: true });
  return { path: folder, [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }) };
}
