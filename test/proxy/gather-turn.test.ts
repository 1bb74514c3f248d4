import { expect, test } from 'vitest';
import { gatherTurn } from '../../src/proxy/gather-turn.ts';

function open({ mayFlow = true, isFull = false } = {}) {
  const told: string[] = [];
  const gatherer = gatherTurn({
    take(bytes) {
      told.push(bytes.length > 99 ? `${bytes.length} bytes` : bytes.toString());
      return mayFlow;
    },
    isFull: () => isFull,
    onDrain: () => told.push('drain'),
  });
  return { gatherer, told, write: (text: string) => gatherer.write(Buffer.from(text)) };
}

test('what comes in one turn is taken as one, when that is over', async () => {
  const { told, write } = open();
  expect([write('a'), write('b')]).toEqual([true, true]);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  write('c');
  expect(told).toEqual([]);
  await turn();
  write('d');
  await turn();
  expect(told).toEqual(['abc', 'd']);
});

test('what is given up is not taken', async () => {
  const { gatherer, told, write } = open();
  expect(gatherer.drop()).toBeNull();
  write('a');
  write('b');
  expect(gatherer.drop()?.toString()).toBe('ab');
  await turn();
  expect(told).toEqual([]);
});

test('who brings more than so much in a turn is to wait, and hears when it was taken', async () => {
  const { told, write } = open();
  expect([write('a'.repeat(200 << 10)), write('b'.repeat(56 << 10))]).toEqual([true, false]);
  await turn();
  expect(told).toEqual([`${256 << 10} bytes`, 'drain']);
});

test('many small pieces do not wait for the end of the turn', async () => {
  const { told, write } = open();
  for (let piece = 0; piece < 2_500; piece += 1) expect(write('a')).toBe(true);
  expect(told).toEqual(['1024 bytes', '1024 bytes']);
  await turn();
  expect(told.slice(2)).toEqual(['452 bytes']);
});

test('or not before whoever takes it has drained', async () => {
  const { told, write } = open({ mayFlow: false });
  expect(write('a'.repeat(256 << 10))).toBe(false);
  await turn();
  expect(told).toEqual([`${256 << 10} bytes`]);
  expect(open({ isFull: true }).write('a')).toBe(false);
});

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
