import { expect, test } from 'vitest';
import { createDisarmer } from '../../src/disarm.ts';

const BREAK = '\u200b';

/** What the runner does with a line: it trims it, and takes `::` at its beginning and `##[` anywhere for a command's. */
const isCommand = (line: string) => line.trimStart().startsWith('::') || line.includes('##[');

const hostile = [
  '::error::x', '  ::error::x', '\t::error::x', '\u00a0\u3000::error::x', '##[error]x', 'text ##[error]x', '###[error]x', ':::error::x', '\r::error::x', 'done\r::error::x', '::', '##[', 'ok\n::add-path::/x\n##[set-env]y\n',
];

test.each(hostile)('%j is no command, however it is cut', (text) => {
  expect(text.split(/\r\n|\r|\n/).some(isCommand)).toBe(true);
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const disarmer = createDisarmer();
    const out = Buffer.concat([disarmer.push(bytes.subarray(0, cut)), disarmer.push(bytes.subarray(cut))]).toString();
    expect(out.split(/\r\n|\r|\n/).filter(isCommand)).toEqual([]);
    expect(out.replaceAll(BREAK, '')).toBe(text);
  }
});

test.each(['a::b', 'std::vector<int> v;\n', 'https://x/ ::', '# heading\n## [link](x)\n', 'é', ':', '#', ''])('%j passes as it is', (text) => {
  const bytes = Buffer.from(text);
  expect(createDisarmer().push(bytes)).toBe(bytes);
});

test('with `brackets` only the marks are taken apart that a log of GitHub\'s is made of', () => {
  const text = '::error::x\n##[group]y\n';
  expect(createDisarmer({ only: 'brackets' }).push(Buffer.from(text)).toString()).toBe(`::error::x\n##${BREAK}[group]y\n`);
});
