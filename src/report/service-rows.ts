import { killedNote } from './killed-note.ts';
import { renderBytes, renderCount, renderNumber, renderSeconds } from './quantities.ts';
import type { Report, ServiceReport } from './report.ts';

/**
 * One service, how it ended, and what it used of its caps: the same rows on the terminal, in the job summary and on the page. Name, image and digest are as
 * the report has them, not yet safe to print. `used`: null where no reading was taken.
 */
export type ServiceRow = { name: string; image: string; imageDigest: string | null; end: string; used: ServiceUse | null };

export type ServiceUse = { cpu: string; memory: string; storage: string; pids: string };

export function serviceRows({ services = [] }: Pick<Report, 'services'>): ServiceRow[] {
  return services.map((service) => ({ name: service.name, image: service.image, imageDigest: service.imageDigest ?? null, end: endOf(service), used: useOf(service) }));
}

function endOf({ startSeconds, exitCode }: ServiceReport): string {
  if (startSeconds === null) return exitCode === null ? 'never up' : `never up, ended with exit code ${exitCode}`;
  return `up after ${renderSeconds(startSeconds)}, ${exitCode === null ? 'until the end of the run' : `then ended with exit code ${exitCode}`}`;
}

function useOf({ usage, limits }: ServiceReport): ServiceUse | null {
  if (usage === undefined) return null;
  return {
    cpu: `${renderSeconds(usage.cpuSeconds)} on ${renderCount(limits.cpus, 'cpu')}`,
    memory: [`${renderBytes(usage.memoryPeakBytes)} of ${renderBytes(limits.memoryBytes)}`, killedNote(usage.oomKills)].filter((part) => part !== '').join(', '),
    storage: `${renderBytes(usage.storagePeakBytes)} of ${renderBytes(limits.storageBytes)}`,
    pids: `${renderNumber(usage.pidsPeak)} of ${renderNumber(limits.pids)}`,
  };
}
