import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createDerWriter, tag } from '../../src/trust/der-writer.ts';

/** OpenSSL reads what was written: independent of the code under test. */
function parse(der: Buffer): string[] {
  const { status, stdout, stderr } = spawnSync('openssl', ['asn1parse', '-inform', 'DER'], { input: der, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout.trimEnd().split('\n').map((line) => line.replace(/\s+/g, ' ').trim());
}

// A length has one octet below 128, and one, two or three behind their number from 128, 256 and 65,536 on.
test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 300_000])('a value of %d bytes has the shortest length there is, and comes back', (bytes) => {
  const content = Buffer.alloc(bytes, 'x');
  const writer = createDerWriter(bytes + 10);
  const end = writer.mark();
  writer.put(content);
  writer.wrap(tag.octetString, end);
  const der = writer.result();
  const head = der.length - bytes;
  expect(parse(der)).toEqual([expect.stringMatching(new RegExp(`^0:d=0 hl=${head} l= ?${bytes} prim: OCTET STRING`))]);
  expect(head).toBe(bytes < 128 ? 2 : bytes < 256 ? 3 : bytes < 65_536 ? 4 : 5);
  expect(der.subarray(head).equals(content)).toBe(true);
});

test('what is written first comes last, and a value encloses what is in front of its mark alone', () => {
  const writer = createDerWriter(100);
  const end = writer.mark();
  writer.put(Buffer.from('after'));
  writer.wrap(tag.octetString, end);
  const before = writer.mark();
  writer.put(Buffer.from([7]));
  writer.wrap(tag.integer, before);
  writer.wrap(tag.sequence, before);
  writer.wrap(tag.sequence, end);
  expect(parse(writer.result())).toEqual([
    '0:d=0 hl=2 l= 12 cons: SEQUENCE', '2:d=1 hl=2 l= 3 cons: SEQUENCE', '4:d=2 hl=2 l= 1 prim: INTEGER :07', '7:d=1 hl=2 l= 5 prim: OCTET STRING :after',
  ]);
});

test('content that does not fit is refused', () => {
  expect(() => createDerWriter(4).put(Buffer.alloc(5))).toThrow('the DER writer has room for 4 bytes only');
});

test.each([0, 1])('there is room for the content, but not for its head: %d bytes of it', (spare) => {
  const writer = createDerWriter(5 + spare);
  const end = writer.mark();
  writer.put(Buffer.alloc(5));
  expect(() => writer.wrap(tag.octetString, end)).toThrow(`the DER writer has room for ${5 + spare} bytes only`);
});
