import type { Sample } from '../usage/usage.ts';
import type { Limits } from './report.ts';
import { printable } from './printable.ts';
import { renderBytes, renderCount, renderNumber, renderSeconds } from './quantities.ts';

/** One line for a terminal on how a run stands. Numbers and Decoy's own words alone: nothing in it is the sandbox's choice. */
export type StatusLine = {
  /** what is waited for, before and after the command */
  waiting(text: string): void;
  sample(sample: Sample): void;
  /** at most `columns` wide */
  render(columns: number): string;
};

type Part = { text: string; /** the highest goes last where there is no room */ rank: number; bad?: boolean };

const NAME = 'decoy';
const SEPARATOR = '  ';
/** Of a cap: from here on it is worth a look. */
const NEAR = 0.9;

export function createStatusLine({ limits, colour }: { limits: Limits; colour: boolean }): StatusLine {
  const paint = (text: string, code: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  let parts: Part[] = [];
  let last: Sample | null = null;
  return {
    waiting: (text) => {
      parts = [{ text: printable(text, 1000), rank: 9 }];
    },
    sample: (sample) => {
      parts = partsOf(sample, last, limits);
      last = sample;
    },
    render: (columns) => {
      const shown = fitting(parts, columns - NAME.length);
      const words = shown.map(({ text, bad }) => (bad ? paint(text, '1;31') : paint(text, '2')));
      return shown.length === 0 ? '' : [paint(NAME, '1;36'), ...words].join(SEPARATOR);
    },
  };
}

function partsOf(sample: Sample, last: Sample | null, limits: Limits): Part[] {
  const { atSeconds, memoryBytes, storageBytes, requests, blocked } = sample;
  const seconds = atSeconds - (last?.atSeconds ?? 0);
  const cpus = seconds > 0 ? (sample.cpuSeconds - (last?.cpuSeconds ?? 0)) / seconds : 0;
  return [
    { text: `${renderSeconds(Math.floor(atSeconds))} of ${renderSeconds(limits.wallSeconds)}`, rank: 9, bad: atSeconds / limits.wallSeconds >= NEAR },
    { text: `${Math.max(cpus, 0).toFixed(1)} of ${renderCount(limits.cpus, 'CPU')}`, rank: 5 },
    { text: `memory ${renderBytes(memoryBytes)} of ${renderBytes(limits.memoryBytes)}`, rank: 7, bad: memoryBytes / limits.memoryBytes >= NEAR },
    ...storageBytes === null ? [] : [{ text: `disk ${renderBytes(storageBytes)} of ${renderBytes(limits.storageBytes)}`, rank: 4, bad: storageBytes / limits.storageBytes >= NEAR }],
    { text: renderCount(requests, 'request'), rank: 6 },
    { text: `${renderNumber(blocked)} blocked`, rank: 8, bad: blocked > 0 },
  ];
}

/** As many as there is room for, the most important first; of one that is too long for all of it, the beginning. */
function fitting(parts: readonly Part[], columns: number): Part[] {
  let left = columns;
  const kept = new Set<Part>();
  for (const part of parts.toSorted((a, b) => b.rank - a.rank)) {
    const needed = SEPARATOR.length + part.text.length;
    if (needed > left) break;
    left -= needed;
    kept.add(part);
  }
  const [first] = parts;
  if (kept.size > 0 || first === undefined) return parts.filter((part) => kept.has(part));
  const room = columns - SEPARATOR.length - 1;
  return room < 1 ? [] : [{ ...first, text: `${first.text.slice(0, room)}…` }];
}
