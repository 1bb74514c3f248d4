import { expect, test } from 'vitest';
import { renderTimings } from '../../src/report/render-timings.ts';

test('a line for each stage, in whole milliseconds, in the order in which they began', () => {
  expect(renderTimings([
    { stage: 'gateway: start', fromMs: 101.4, toMs: 250.4 },
    { stage: 'a stage with a name longer than the heading', fromMs: 0, toMs: 61.6 },
    { stage: 'disk: making', fromMs: 101.3, toMs: 1207.9 },
  ])).toEqual([
    'timings in ms; stages overlap                  from      to    took',
    'a stage with a name longer than the heading       0      62      62',
    'disk: making                                    101    1208    1107',
    'gateway: start                                  101     250     149',
  ]);
});

test('without a stage the heading alone', () => {
  expect(renderTimings([])).toEqual(['timings in ms; stages overlap    from      to    took']);
});
