import { describe, expect, test } from 'vitest';
import { parseProxyHeader } from '../../src/proxy/proxy-header.ts';
import { renderProxyHeader } from './gateway-client.ts';

const good = renderProxyHeader({ host: 'API.Example.com.', port: 443 });
const changed = (at: number, ...bytes: number[]) => {
  const copy = Buffer.from(good);
  copy.set(bytes, at);
  return copy;
};
const withName = (name: string) => renderProxyHeader({ host: name, port: 443 });
const withoutName = (() => {
  const copy = Buffer.from(good.subarray(0, 28));
  copy.writeUInt16BE(12, 14);
  return copy;
})();
const twoNames = (() => {
  const copy = Buffer.concat([good, good.subarray(28)]);
  copy.writeUInt16BE(copy.length - 16, 14);
  return copy;
})();
const ipv6 = (() => {
  const copy = Buffer.alloc(16 + 36);
  good.copy(copy, 0, 0, 12);
  copy.set([0x21, 0x21, 0, 36], 12);
  copy.set([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 32);
  copy.writeUInt16BE(8443, 50);
  return copy;
})();

describe('a PROXY v2 header is accepted', () => {
  test.each([
    ['with a name: lower case, no trailing dot', good, { host: 'api.example.com', port: 443 }],
    ['without a name: the IPv4 destination', withoutName, { host: '198.18.0.2', port: 443 }],
    ['without a name: the IPv6 destination, canonical', ipv6, { host: '2001:db8::1', port: 8443 }],
    ['with an IP literal for a name', withName('192.0.2.7'), { host: '192.0.2.7', port: 443 }],
    ['with a one-letter label', withName('x.test'), { host: 'x.test', port: 443 }],
  ])('%s', (_, bytes, endpoint) => {
    expect(parseProxyHeader(bytes)).toEqual({ kind: 'complete', endpoint, lengthBytes: bytes.length });
    expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')]))).toMatchObject({ lengthBytes: bytes.length });
  });

  test('byte by byte', () => {
    for (let length = 0; length < good.length; length++) {
      expect(parseProxyHeader(good.subarray(0, length)).kind).toBe('incomplete');
    }
  });
});

describe('a PROXY v2 header is refused', () => {
  test.each([
    ['plain HTTP instead of it', Buffer.from('GET / HTTP/1.1\r\n')],
    ['version 1', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
    ['the command LOCAL', changed(12, 0x20)],
    ['another version', changed(12, 0x11)],
    ['an unspecified family', changed(13, 0x00)],
    ['UDP', changed(13, 0x12)],
    ['a Unix socket', changed(13, 0x31)],
    ['more than 536 bytes', changed(14, 0xff, 0xff)],
    ['no room for the addresses', changed(14, 0, 11)],
    ['a record longer than the header', changed(29, 0, 200)],
    ['a record cut short', changed(14, 0, 14)],
    ['port 0', changed(26, 0, 0)],
    ['two names', twoNames],
    ['an empty name', withName('')],
    ['a name with a space', withName('a b.test')],
    ['a name with a NUL', withName('a\0.test')],
    ['a wildcard', withName('*.test')],
    ['a name with a port', withName('a.test:443')],
    ['a name with userinfo', withName('a@b.test')],
    ['a name of 254 letters', withName(`${'a.'.repeat(126)}aa`)],
    ['an empty label', withName('a..test')],
  ])('%s', (_, bytes) => {
    expect(parseProxyHeader(bytes).kind).toBe('invalid');
  });
});
