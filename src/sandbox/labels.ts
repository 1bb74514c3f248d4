import fs from 'node:fs';

/** What marks everything Decoy creates, so that clean-up finds it after any end of the process. */
export type RunLabels = { decoy: '1'; 'decoy.run': string; 'decoy.pid': string; 'decoy.start': string };

export function labelsOf(runId: string): RunLabels {
  return { decoy: '1', 'decoy.run': runId, 'decoy.pid': String(process.pid), 'decoy.start': startTicks(process.pid) ?? '' };
}

/** Whether the process that created a thing with these labels still runs. A reused pid has another start time. */
export function ownerIsAlive(labels: Record<string, string | undefined>): boolean {
  const pid = Number(labels['decoy.pid']);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const ticks = startTicks(pid);
  return ticks !== null && ticks === labels['decoy.start'];
}

/** Field 22 of /proc/PID/stat (proc(5)): clock ticks from boot to the start of the process; null when it is gone or a zombie. */
function startTicks(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
