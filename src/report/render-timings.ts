import type { StageTiming } from '../usage/time-stages.ts';

/** A heading and a line a stage, in the order in which they began, milliseconds since Decoy's process began. */
export function renderTimings(timings: readonly StageTiming[]): string[] {
  const inOrder = timings.toSorted((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs);
  const nameWidth = Math.max(...[HEADING, ...inOrder.map(({ stage }) => stage)].map((text) => text.length));
  const line = (name: string, numbers: readonly string[]) => `${name.padEnd(nameWidth)}${numbers.map((number) => number.padStart(NUMBER_WIDTH)).join('')}`;
  return [
    line(HEADING, ['from', 'to', 'took']),
    ...inOrder.map(({ stage, fromMs, toMs }) => line(stage, [fromMs, toMs, toMs - fromMs].map((ms) => ms.toFixed(0)))),
  ];
}

const HEADING = 'timings in ms; stages overlap';
const NUMBER_WIDTH = 8;
