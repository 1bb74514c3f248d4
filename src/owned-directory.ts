import os from 'node:os';
import path from 'node:path';
import { labelsOf, ownerIsAlive } from './sandbox/labels.ts';

/** What a directory beside the run's own is for. */
const PURPOSES = ['engine', 'git', 'run', 'runsc', 'start'] as const;
const NAME = new RegExp(`^decoy-(?:${PURPOSES.join('|')})-(\\d+)-(\\d+)-\\w{6}$`);

/** For mkdtemp(3): a name that tells whose the directory is, from the moment it is there, so that clean-up finds it after any end of this process. */
export function ownedPrefix(purpose: (typeof PURPOSES)[number]): string {
  const { 'decoy.pid': pid, 'decoy.start': start } = labelsOf('');
  return path.join(os.tmpdir(), `decoy-${purpose}-${pid}-${start}-`);
}

/** Whether a directory of that name is for this purpose, and its process still runs. */
export function isOwned(name: string, purpose: (typeof PURPOSES)[number]): boolean {
  return name.startsWith(`decoy-${purpose}-`) && NAME.test(name) && !isAbandoned(name);
}

/** Whether a directory of that name was left by a process that is gone. */
export function isAbandoned(name: string): boolean {
  const [, pid, start] = NAME.exec(name) ?? [];
  return pid !== undefined && !ownerIsAlive({ 'decoy.pid': pid, 'decoy.start': start });
}
