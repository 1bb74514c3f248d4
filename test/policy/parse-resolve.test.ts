import { describe, expect, test } from 'vitest';
import { parseResolve } from '../../src/policy/parse-resolve.ts';

describe('a line and where it leads', () => {
  test.each([
    ['db.example.com:443:10.0.0.5', { host: 'db.example.com', port: 443, address: '10.0.0.5', addressPort: 443 }],
    ['DB.example.com.:443:127.0.0.1:8443', { host: 'db.example.com', port: 443, address: '127.0.0.1', addressPort: 8443 }],
    ['bücher.example:443:[FD00:0:0::5]:8443', { host: 'xn--bcher-kva.example', port: 443, address: 'fd00::5', addressPort: 8443 }],
    ['9.9.9.9:80:10.0.0.5:53  # an address by its number', { host: '9.9.9.9', port: 80, address: '10.0.0.5', addressPort: 53 }],
    ['a.test:443:[64:ff9b::10.0.0.5]', { host: 'a.test', port: 443, address: '64:ff9b::a00:5', addressPort: 443 }],
    ['localhost:443:[::1]', { host: 'localhost', port: 443, address: '::1', addressPort: 443 }],
  ])('%s', (line, entry) => {
    expect(parseResolve([line])).toEqual({ entries: [entry], problems: [] });
  });
});

const shape = 'it is not `host:port:address[:port]`: write for example `db.example.com:443:10.0.0.5` or, for IPv6, `db.example.com:443:[fd00::5]`';

describe('a line and why it is refused', () => {
  test.each([
    ['db.example.com', shape],
    ['db.example.com:443', shape],
    ['db.example.com:443:fd00::5', shape],
    ['https://db.example.com:443:10.0.0.5', shape],
    ['[::1]:443:10.0.0.5', shape],
    ['*.example.com:443:10.0.0.5', '`*.example.com` is a wildcard: write one line for each name'],
    ['*:443:10.0.0.5', '`*` would match every host: name the hosts, one a line'],
    ['db.example.com:0:10.0.0.5', 'the port `0` is not a number from 1 to 65535: write such a number'],
    ['db.example.com:443:10.0.0.5:65536', 'the port `65536` is not a number from 1 to 65535: write such a number'],
    ['db.example.com:0443:10.0.0.5', 'the port `0443` is not a number from 1 to 65535: write such a number'],
    ['db.example.com:443:10.1', '`10.1` is an unusual form of an IPv4 address: write `10.0.0.1`'],
    ['db.example.com:443:10.0.0.5,10.0.0.6', '`10.0.0.5,10.0.0.6` is more than one address: write one'],
    ['db.example.com:443:other.example.com', '`other.example.com` is not an IP address: write the address itself, IPv6 in brackets'],
    ['db.example.com:443:', '`` is not an IP address: write the address itself, IPv6 in brackets'],
    ['db.example.com:443:[fe80::1%eth0]', '`[fe80::1%eth0]` has a zone id: write an address that is not link-local'],
    ['db.example.com:443:[::ffff:10.0.0.5]', '`[::ffff:10.0.0.5]` is an IPv4 address in IPv6 form: write `10.0.0.5`'],
    ['db.example.com:443:0.0.0.0', '`0.0.0.0` stands for every address of this host: write the one that is meant, for example `127.0.0.1`'],
    ['db.example.com:443:[::]', '`::` stands for every address of this host: write the one that is meant, for example `127.0.0.1`'],
    ['db.example.com:443:224.0.0.1', '`224.0.0.1` is a multicast address, which nothing can connect to: write the address of one host'],
    ['db.example.com:443:255.255.255.255', '`255.255.255.255` is a broadcast address, which nothing can connect to: write the address of one host'],
  ])('%s', (line, problem) => {
    expect(parseResolve([line])).toEqual({ entries: [], problems: [`resolve \`${line}\`: ${problem}.`] });
  });
});

test('two lines for one host and port must agree', () => {
  const { entries, problems } = parseResolve(['', '# databases', 'a.test:443:10.0.0.1', 'A.test:443:10.0.0.1:443', 'a.test:444:10.0.0.2', 'a.test:443:10.0.0.2']);
  expect(entries.map(({ port, address }) => [port, address])).toEqual([[443, '10.0.0.1'], [444, '10.0.0.2']]);
  expect(problems).toEqual(['resolve `a.test:443:10.0.0.2`: `a.test:443` is already sent to `10.0.0.1`, port 443: remove one of the two lines.']);
});
