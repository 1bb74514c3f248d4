import { expect, test } from 'vitest';
import { createMarkerFilter } from '../../src/sandbox/marker-filter.ts';

const token = '0123456789abcdef';
const output = `some text\nand a NUL \0 and a forged \0decoy:ffff:0\0\n without end`;
const whole = Buffer.from(`${output}\0decoy:${token}:3\0\n`, 'latin1');

test('the marker is taken out of the output however it is split', () => {
  for (let first = 0; first <= whole.length; first++) {
    const filter = createMarkerFilter(token);
    const parts = [filter.push(whole.subarray(0, first))];
    if (!parts[0]?.ended) parts.push(filter.push(whole.subarray(first)));
    expect(Buffer.concat(parts.map(({ bytes }) => bytes)).toString('latin1')).toBe(output);
    expect(parts.at(-1)?.ended).toBe(true);
  }
});

test('text is never held back, and an unfinished marker is given out at the end', () => {
  const filter = createMarkerFilter(token);
  expect(filter.push(Buffer.from('no NUL here'))).toEqual({ bytes: Buffer.from('no NUL here'), ended: false });
  expect(filter.push(Buffer.from('x\0decoy:'))).toEqual({ bytes: Buffer.from('x'), ended: false });
  expect(filter.flush().toString()).toBe('\0decoy:');
});
