import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DialError } from '../../src/proxy/dial.ts';
import { findRoute } from '../../src/proxy/find-route.ts';
import { ask, openBench, portOf } from './open-bench.ts';

/** Listens on every loopback address, and would be reached if an address were not checked. */
const bait = createServer((socket) => {
  connections += 1;
  socket.destroy();
});
let connections = 0;
beforeAll(async () => void await once(bait.listen(0), 'listening'));
afterAll(() => void bait.close());
beforeEach(() => void (connections = 0));

/** Asks for `api.test` on the bait's port. */
async function get(resolveName: (host: string) => Promise<string[]>, ownAddresses: string[] = []) {
  const port = portOf(bait);
  await using bench = await openBench({ allow: [`api.test:${port}`], names: [], options: { resolveName, ownAddresses, upstreamTimeouts: { attemptMs: 100 } } });
  const answer = await ask(bench.agentTo('api.test', { port }), { headers: { host: `api.test:${port}` } });
  return answer.headers['x-decoy-blocked'];
}

describe('a name that leads to', () => {
  test.each([
    ['loopback', ['127.0.0.1', '127.0.0.53', '127.255.255.254', '::1']],
    ['this network', ['0.0.0.0', '0.1.2.3', '::']],
    ['private networks', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fdff::1']],
    ['metadata services', ['169.254.169.254', 'fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '168.63.129.16', '192.0.0.192']],
    ['link-local addresses, with and without a zone', ['169.254.0.1', 'fe80::1', 'fe80::1%lo', 'febf::1%1']],
    ['carrier-grade NAT', ['100.64.0.1', '100.127.255.254']],
    ['benchmarking', ['198.18.0.1', '198.19.255.255', '2001:2::1']],
    ['protocol assignments', ['192.0.0.1', '192.0.0.170', '2001:1::1']],
    ['multicast, broadcast and what is reserved', ['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', 'ff02::1', '4000::1']],
    ['IPv4-mapped', ['::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:7f00:1', '::ffff:a9fe:a9fe', '::ffff:0.0.0.0']],
    ['IPv4-compatible and -translated', ['::127.0.0.1', '::7f00:1', '::ffff:0:127.0.0.1']],
    ['NAT64', ['64:ff9b::7f00:1', '64:ff9b::10.0.0.1', '64:ff9b:1::1', '64:ff9b:1:ffff::8.8.8.8']],
    ['6to4, Teredo and ISATAP', ['2002:7f00:1::', '2002:808:808::1', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2606:4700::5efe:7f00:1']],
    ['text that is no address', ['127.1', '0x7f000001', '2130706433', '127.0.0.1 ', '[::1]', '']],
  ])('%s is refused, one by one and all together', async (_, addresses) => {
    for (const address of addresses) expect(await get(async () => [address]), address).toBe('private-address');
    expect(await get(async () => addresses)).toBe('private-address');
    expect(connections).toBe(0);
  });

  test('this host\'s own public addresses, in whatever form', async () => {
    for (const address of ['203.0.113.7', '::ffff:203.0.113.7', '64:ff9b::203.0.113.7', '2606:4700::7', '2606:4700:0:0:0:0:0:7']) {
      expect(await get(async () => [address], ['203.0.113.7', '2606:4700::7']), address).toBe('private-address');
    }
  });

  test('no address at all', async () => {
    expect(await get(async () => [])).toBe('private-address');
  });
});

test('of several addresses only the allowed ones are dialled, in their order', async () => {
  const resolveName = async () => ['127.0.0.1', '203.0.113.9', '::1', 'fe80::1%lo', '2606:4700::1', '198.51.100.7', '::ffff:127.0.0.1'];
  const options = { resolve: [], ownAddresses: ['198.51.100.7'], upstreamProxies: null, resolveName };
  expect(await findRoute({ scheme: 'https', host: 'api.test', port: 443 }, options)).toEqual({
    candidates: [{ address: '203.0.113.9', port: 443 }, { address: '2606:4700::1', port: 443 }],
  });
});

test('an address that is asked for is judged as it is, and never resolved', async () => {
  const options = { resolve: [], ownAddresses: [], upstreamProxies: null, resolveName: () => Promise.reject(new Error('asked')) };
  expect(await findRoute({ scheme: 'https', host: '203.0.113.9', port: 443 }, options)).toEqual({ candidates: [{ address: '203.0.113.9', port: 443 }] });
  await expect(findRoute({ scheme: 'https', host: '::1', port: 443 }, options)).rejects.toBeInstanceOf(DialError);
});

test('a name that changes its address gains nothing: resolved once a connection, it is refused at the next', async () => {
  const answers = [['203.0.113.9'], ['127.0.0.1']];
  let asked = 0;
  const rebinding = async () => answers[asked++] ?? ['127.0.0.1'];
  // The public address was dialled: nothing answers there, or not for this name.
  expect(['upstream-unreachable', 'upstream-tls']).toContain(await get(rebinding));
  expect([asked, connections]).toEqual([1, 0]);
  expect(await get(rebinding)).toBe('private-address');
  expect([asked, connections]).toEqual([2, 0]);
  // What it led to would have answered.
  connect(portOf(bait), '127.0.0.1').on('error', () => undefined);
  await once(bait, 'connection');
  expect(connections).toBe(1);
});
