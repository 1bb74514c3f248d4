import type { ServiceReport } from '../report/report.ts';
import type { ServiceRecord } from './service-request.ts';

/** What the report says of the services, as far as they came. */
export function reportServices(records: readonly ServiceRecord[]): ServiceReport[] {
  return records.map(({ name, image, imageDigest, limits, startSeconds, exitCode, usage }) => ({
    name, image, ...(imageDigest === null ? {} : { imageDigest }), startSeconds, exitCode, limits, ...(usage === null ? {} : { usage }),
  }));
}

/** What all of them printed. */
export function renderServiceLogs(records: readonly ServiceRecord[]): string {
  return records.map(({ log }) => log.render()).join('');
}
