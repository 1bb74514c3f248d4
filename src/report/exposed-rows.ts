import { renderCount, renderNumber } from './quantities.ts';
import type { Report } from './report.ts';

/** A port of the sandbox, where the host reached it, and how often: the same rows everywhere. `address` is not yet safe to print; it holds no token. */
export type ExposedRow = { port: number; address: string; used: string };

export function exposedRows({ exposed = [] }: Pick<Report, 'exposed'>): ExposedRow[] {
  return exposed.map(({ port, url, socket, connections, requests, refused }) => ({
    port, address: url ?? socket ?? '',
    used: [...(requests === undefined ? [] : [renderCount(requests, 'request')]), renderCount(connections, 'connection'), `${renderNumber(refused)} refused`].join(', '),
  }));
}
