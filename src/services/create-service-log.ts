import { printable } from '../report/printable.ts';
import type { ServiceLog } from './service-request.ts';

/** Of each service's output the last bytes are kept. */
const KEPT_BYTES = 1024 * 1024;
const LAST_LINES = 5;
const LINE_CHARACTERS = 4000;

/** Keeps the end of what a service prints: text of whoever made the image. */
export function createServiceLog(name: string): ServiceLog {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let dropped = 0;
  const text = () => {
    const all = Buffer.concat(pieces);
    const kept = all.subarray(Math.max(0, all.length - KEPT_BYTES));
    return { lines: kept.toString('utf8').replace(/\r?\n$/, '').split(/\r?\n/), isEmpty: all.length === 0, cut: dropped + all.length - kept.length };
  };
  return {
    add: (piece) => {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes <= 2 * KEPT_BYTES) return;
      const all = Buffer.concat(pieces);
      dropped += all.length - KEPT_BYTES;
      // A copy: a part would keep the whole in memory.
      pieces = [Buffer.from(all.subarray(all.length - KEPT_BYTES))];
      bytes = KEPT_BYTES;
    },
    render: () => {
      const { lines, isEmpty, cut } = text();
      if (isEmpty) return '';
      const first = cut > 0 ? [`${name} | (the first ${cut} bytes are not kept)`] : [];
      return `${[...first, ...lines.map((line) => `${name} | ${printable(line.replaceAll('\t', '    '), LINE_CHARACTERS)}`)].join('\n')}\n`;
    },
    lastWords: () => text().lines.filter((line) => line.trim() !== '').slice(-LAST_LINES).map((line) => printable(line.trim(), 300)).join(' / '),
  };
}
