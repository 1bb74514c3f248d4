import { expect, test } from 'vitest';
import { parseContents } from '../../src/workspace/parse-contents.ts';

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

test('each path gets its own bytes', () => {
  const contents = [
    { path: base64('a'), mode: '100644', size: 2 }, { path: base64('gone'), mode: '', size: 0 },
    { path: base64('b\xff'), mode: '100755', size: 0 }, { path: base64('l'), mode: '120000', size: 3 },
  ];
  expect(parseContents(contents, Buffer.from('hia/b'))).toEqual([
    { path: 'a', kind: 'file', executable: false, content: Buffer.from('hi') }, { path: 'gone', kind: 'removed' },
    { path: 'b\xff', kind: 'file', executable: true, content: Buffer.alloc(0) }, { path: 'l', kind: 'link', target: Buffer.from('a/b') },
  ]);
});

test('bytes too few or too many, and a mode that is none of git\'s, are no changes', () => {
  const content = { path: base64('a'), mode: '100644', size: 2 };
  expect(() => parseContents([content], Buffer.from('h'))).toThrow('2 bytes of changed files were announced, and 1 came');
  expect(() => parseContents([content], Buffer.from('hi!'))).toThrow('2 bytes of changed files were announced, and 3 came');
  expect(() => parseContents([{ ...content, mode: '104755' }], Buffer.from('hi'))).toThrow('has the mode "104755"');
});
