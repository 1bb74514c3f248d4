import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openScreen } from '../../src/terminal/screen.ts';
import { openEmulator } from './emulator.ts';

function openBench({ columns = 40, rows = 8 }: { columns?: number; rows?: number } = {}) {
  const emulator = openEmulator({ columns, rows });
  const size = { columns };
  let queue = Promise.resolve();
  const writes: string[] = [];
  const screen = openScreen({ write: (text) => { writes.push(text); queue = queue.then(() => emulator.write(text)); }, columns: () => size.columns });
  return {
    emulator, screen, writes, shown: async () => { await queue; return emulator.screen(); }, settle: () => queue,
    resize: async (to: number) => { await queue; size.columns = to; emulator.resize(to, rows); screen.resized(); await queue; },
  };
}

const status = (text: string) => (columns: number) => text.slice(0, columns);

test('the status is the last line, is redrawn in place, and is gone in the end', async () => {
  const { screen, shown } = openBench();
  screen.status(status('1 s'));
  expect(await shown()).toEqual(['1 s']);
  screen.print('one\n');
  expect(await shown()).toEqual(['one', '1 s']);
  screen.status(status('a longer status'));
  screen.status(status('2 s'));
  screen.print('two\nthr');
  expect(await shown()).toEqual(['one', 'two', 'thr', '2 s']);
  screen.print('ee\rTH');
  expect(await shown()).toEqual(['one', 'two', 'THree', '2 s']);
  screen.line('decoy: a line of its own');
  expect(await shown()).toEqual(['one', 'two', 'THree', 'decoy: a line of its own', '2 s']);
  screen.close();
  screen.print('four\n');
  expect(await shown()).toEqual(['one', 'two', 'THree', 'decoy: a line of its own', 'four']);
});

test('it stays the last line of a screen that is full, and nothing is lost from what scrolls', async () => {
  const { screen, shown, emulator } = openBench();
  screen.status(status('status'));
  const lines = Array.from({ length: 30 }, (_, number) => `line ${number}`);
  for (const line of lines) screen.print(`${line}\n`);
  screen.print('no line break');
  expect((await shown()).slice(-3)).toEqual(['line 29', 'no line break', 'status']);
  screen.close();
  await shown();
  expect(emulator.all()).toEqual([...lines, 'no line break']);
});

test('a line as wide as the screen, and its line break', async () => {
  const { screen, shown } = openBench({ columns: 20 });
  screen.status(status('status'));
  screen.print('x'.repeat(20));
  expect(await shown()).toEqual(['x'.repeat(20), 'status']);
  screen.print('\x1b[0m');
  screen.print('\nnext');
  expect(await shown()).toEqual(['x'.repeat(20), 'next', 'status']);
  screen.print(`\n${'y'.repeat(20)}`);
  screen.print('\rz');
  screen.close();
  expect(await shown()).toEqual(['x'.repeat(20), 'next', `z${'y'.repeat(19)}`]);
});

test('a status is never wider than the screen, and there is none where that is too narrow', async () => {
  const { screen, shown, resize, emulator } = openBench({ columns: 40 });
  screen.print('hello\n');
  screen.status(status('s'.repeat(100)));
  expect(await shown()).toEqual(['hello', 's'.repeat(39)]);
  await resize(25);
  expect(emulator.screen()).toEqual(['hello', 's'.repeat(24)]);
  await resize(60);
  expect(emulator.screen()).toEqual(['hello', 's'.repeat(59)]);
  const narrow = openBench({ columns: 12 });
  narrow.screen.status(status('status'));
  expect(await narrow.shown()).toEqual([]);
});

test('the command\'s colours are not the status\'s, and end with the command', async () => {
  const { screen, emulator, settle } = openBench();
  screen.status(status('status'));
  screen.print('\x1b[41mred\n');
  await settle();
  expect(await emulator.coloured()).toBe(true);
  screen.close();
  await settle();
  expect(await emulator.coloured()).toBe(false);
});

test('one write for each change, so that nothing is seen without the status between', () => {
  const { screen, writes } = openBench();
  screen.status(status('status'));
  screen.print('one\n');
  expect(writes).toHaveLength(2);
  expect(writes[1]).toMatch(/one\n.*status/s);
});

test('nothing is lost where the terminal counts columns in another way', async () => {
  // This one gives an emoji one column, most give it two.
  const { screen, emulator, settle } = openBench({ columns: 20 });
  screen.status(status('status'));
  screen.print(`🎉${'x'.repeat(18)}`);
  screen.print('yz\n');
  screen.close();
  await settle();
  expect(emulator.all().join('')).toBe(`🎉${'x'.repeat(18)}yz`);
});

/** What the command may print after `createSafeText`. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 30 }).map((value) => value.replaceAll(/[^\x20-\x7e]/g, '')) },
  fc.constantFrom('\n', '\n', '\r\n', '\r', '\b', '\t', '漢字', 'e\u0301', '\x1b[31m', '\x1b[0m', 'x'.repeat(20), 'x'.repeat(19), '='.repeat(40)),
);
const action = fc.oneof({ weight: 4, arbitrary: fc.record({ print: text }) }, fc.record({ status: fc.string({ minLength: 1, maxLength: 60 }).map((value) => `S ${value.replaceAll(/[^\x21-\x7e]/g, '.')}`) }));

test('whatever is printed and however often it is drawn: the output looks as without a status, and the status is the last line all the time', async () => {
  await fc.assert(fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
    const { screen, emulator, settle } = openBench({ columns: 20, rows: 6 });
    const plain = openEmulator({ columns: 20, rows: 6 });
    let current: string | null = null;
    for (const step of actions) {
      if ('status' in step) screen.status(status(current = step.status));
      else {
        screen.print(step.print);
        await plain.write(step.print);
      }
      await settle();
      if (current !== null) expect(emulator.screen().at(-1)).toBe(current.slice(0, 19));
    }
    screen.close();
    await settle();
    expect(emulator.all().map((line) => line.trimEnd())).toEqual(plain.all().map((line) => line.trimEnd()));
  }), { numRuns: 300 });
});
