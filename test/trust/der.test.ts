import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { der, derObjectIdentifier, derTime } from '../../src/trust/der.ts';
import { tag } from '../../src/trust/der-writer.ts';

/** OpenSSL reads what was written: independent of the code under test. */
function parse(value: Buffer): string {
  const { status, stdout, stderr } = spawnSync('openssl', ['asn1parse', '-inform', 'DER'], { input: value, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout.trim().replace(/\s+/g, ' ');
}

test.each([
  ['2.5.4.3', ':commonName'],
  ['1.2.840.10045.4.3.2', ':ecdsa-with-SHA256'],
  ['1.3.6.1.5.5.7.3.1', ':TLS Web Server Authentication'],
  // One, two, three and four octets of seven bits.
  ['1.2.127.128.16383.16384.2097151.2097152', ':1.2.127.128.16383.16384.2097151.2097152'],
])('the object identifier %s is read back', (dotted, read) => {
  expect(parse(derObjectIdentifier(dotted))).toMatch(new RegExp(`OBJECT ${read.replaceAll('.', '\\.')}$`));
});

test.each([
  ['2026-11-27T04:03:02.999Z', 'UTCTIME :261127040302Z'],
  ['2049-12-31T23:59:59Z', 'UTCTIME :491231235959Z'],
  // RFC 5280 4.1.2.5: from 2050 on the other form.
  ['2050-01-01T00:00:00Z', 'GENERALIZEDTIME :20500101000000Z'],
])('the time %s is %s', (date, read) => {
  expect(parse(derTime(new Date(date)))).toContain(read);
});

test('contents keep their order', () => {
  expect(parse(der(tag.sequence, der(tag.integer, Uint8Array.of(1)), der(tag.boolean, Uint8Array.of(0xff)), der(tag.integer, Uint8Array.of(2)))))
    .toMatch(/SEQUENCE .*INTEGER :01 .*BOOLEAN :255 .*INTEGER :02$/);
});

test.each([0, 127, 128, 255, 256, 65_536, 16_777_216])('there is room for the head of %d bytes', (bytes) => {
  expect(der(tag.octetString, Buffer.alloc(bytes)).subarray(-bytes || undefined).length).toBe(bytes === 0 ? 2 : bytes);
});
