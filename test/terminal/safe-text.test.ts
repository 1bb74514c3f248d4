import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSafeText } from '../../src/terminal/safe-text.ts';
import { openEmulator } from './emulator.ts';

const safe = (text: string | Buffer) => createSafeText().push(typeof text === 'string' ? Buffer.from(text) : text);

test.each([
  'plain\n', 'tab\tback\b\rover\n', 'é 漢字 🎉 e\u0301\n', '\x1b[31mred\x1b[0m', '\x1b[1;38;2;1;2;3mtrue colour\x1b[m', '\x1b[4:3mcurly', 'progress 10 %\r\x1b[Kprogress 20 %', '\x1b[2K',
])('%j passes as it is, however it is cut', (text) => {
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const filter = createSafeText();
    expect(filter.push(bytes.subarray(0, cut)) + filter.push(bytes.subarray(cut))).toBe(text);
  }
});

const DROPPED: [string, string][] = [
  ['cursor to another line', '\x1b[A'], ['cursor to a place', '\x1b[1;1H'], ['erasing the screen', '\x1b[2J'], ['erasing the scrollback', '\x1b[3J'], ['scroll region', '\x1b[1;5r'], ['scrolling', '\x1b[5S'], ['other screen', '\x1b[?1049h'], ['hidden cursor', '\x1b[?25l'],
  ['insert mode', '\x1b[4h'], ['full reset', '\x1bc'], ['soft reset', '\x1b[!p'], ['saving the cursor', '\x1b7'], ['restoring it', '\x1b8'], ['index', '\x1bD'], ['reverse index', '\x1bM'], ['next line', '\x1bE'], ['line drawing', '\x1b(0'], ['shift out', '\x0e'],
  ['title', '\x1b]0;owned\x07'], ['title, other end', '\x1b]0;owned\x1b\\'], ['clipboard', '\x1b]52;c;Y3VybCBldmls\x07'], ['palette', '\x1b]4;1;#00ff00\x07'], ['link', '\x1b]8;;https://evil.example\x1b\\'], ['who are you', '\x1b[c'], ['where is the cursor', '\x1b[6n'],
  ['answerback', '\x05'], ['request of a setting', '\x1bP$qm\x1b\\'], ['window report', '\x1b[21t'], ['resize', '\x1b[8;1;1t'], ['8-bit CSI', '\u009b2J'], ['8-bit OSC', '\u009d0;owned\u009c'], ['tmux passthrough', '\x1bPtmux;\x1b\x1b]0;x\x07\x1b\\'], ['private message', '\x1b^x\x1b\\'],
  ['vertical tab', '\v'], ['form feed', '\f'], ['bell', '\x07'], ['backarrow', '\x7f'], ['NUL', '\0'], ['key modifiers', '\x1b[>4;2m'], ['selective erase', '\x1b[?2K'], ['a very long one', `\x1b[${'1;'.repeat(100)}m`],
];

test.each(DROPPED)('dropped: %s', (_, sequence) => {
  const bytes = Buffer.from(`a${sequence}b\n`);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const filter = createSafeText();
    expect((filter.push(bytes.subarray(0, cut)) + filter.push(bytes.subarray(cut))).replace('\\', '')).toBe('ab\n');
  }
});

test('the control: a terminal that is given those obeys them', async () => {
  const emulator = openEmulator();
  await emulator.write('first line\nsecond line\n');
  await emulator.write(DROPPED.filter(([name]) => ['title', 'who are you', 'where is the cursor', 'erasing the screen'].includes(name)).map(([, sequence]) => sequence).join(''));
  expect({ screen: emulator.screen(), title: emulator.title() }).toEqual({ screen: [], title: 'owned' });
  expect(emulator.answered()).toContain('\x1b[');
});

test('what is begun and never ended hides no more than its line', () => {
  expect(safe('\x1b]0;title\nthe rest\n')).toBe('\nthe rest\n');
  expect(safe('\x1b[12\nthe rest\n')).toBe('\nthe rest\n');
});

test('what is no UTF-8 is shown as such, also in pieces', () => {
  expect(safe(Buffer.from([0x61, 0x9b, 0x32, 0x4a, 0xff, 0x0a]))).toBe('a\ufffd2J\ufffd\n');
  const filter = createSafeText();
  expect([...Buffer.from('漢')].map((byte) => filter.push(Buffer.from([byte])))).toEqual(['', '', '漢']);
});

test('whatever the bytes and their cuts: only colours, erasing in the line and four controls come out', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom(...DROPPED.map(([, sequence]) => sequence), '\x1b', '\x1b[', '[', ']', 'm', '31m', '\n', '\r', '\x9b', '\u009b'), fc.string({ unit: 'binary' }));
  fc.assert(fc.property(fc.array(piece), (pieces) => {
    const filter = createSafeText();
    const out = pieces.map((text) => filter.push(Buffer.from(text))).join('');
    expect(out.replaceAll(/\x1b\[[\d;:]*m|\x1b\[[012]?K/g, '')).not.toMatch(/[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
  }), { numRuns: 2_000 });
});
