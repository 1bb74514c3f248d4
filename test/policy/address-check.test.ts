import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { isForbiddenAddress, isOwnAddress } from '../../src/policy/address-check.ts';
import { forbiddenIpv4, forbiddenIpv6 } from '../../src/policy/forbidden-ranges.ts';

describe('an address and the range that forbids it', () => {
  test.each([
    // public
    ['8.8.8.8', null], ['1.1.1.1', null], ['172.15.255.255', null], ['172.32.0.0', null], ['100.63.255.255', null], ['100.128.0.0', null],
    ['192.0.1.0', null], ['198.17.255.255', null], ['198.20.0.0', null], ['168.63.129.15', null], ['223.255.255.255', null], ['11.0.0.0', null],
    ['2606:4700:4700::1111', null], ['2a00:1450:4001::200e', null], ['2001:200::1', null], ['2001:4860:4860::8888', null], ['2003::1', null],
    // metadata
    ['169.254.169.254', 'metadata'], ['169.254.170.2', 'metadata'], ['169.254.170.23', 'metadata'], ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'], ['192.0.0.192', 'metadata'], ['fd00:ec2::254', 'metadata'], ['fd00:ec2::23', 'metadata'], ['fd20:ce::254', 'metadata'],
    // IPv4
    ['0.0.0.0', 'unspecified'], ['0.1.2.3', 'this-network'], ['10.0.0.1', 'private'], ['172.16.0.1', 'private'], ['172.31.255.255', 'private'],
    ['192.168.255.255', 'private'], ['100.64.0.1', 'carrier-grade-nat'], ['100.127.255.255', 'carrier-grade-nat'], ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'], ['169.254.0.1', 'link-local'], ['192.0.0.8', 'protocol-assignments'],
    ['192.31.196.1', 'as112'], ['192.175.48.1', 'as112'], ['192.52.193.1', 'amt'],
    ['192.88.99.1', '6to4-relay'], ['198.18.0.1', 'benchmarking'], ['198.19.255.255', 'benchmarking'], ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'], ['240.0.0.1', 'reserved'], ['255.255.255.254', 'reserved'], ['255.255.255.255', 'broadcast'],
    // IPv6
    ['::', 'unspecified'], ['0:0:0:0:0:0:0:0', 'unspecified'], ['::1', 'loopback'], ['0000:0000:0000:0000:0000:0000:0000:0001', 'loopback'],
    ['fe80::1', 'link-local'], ['febf::1', 'link-local'], ['fec0::1', 'site-local'], ['fc00::1', 'unique-local'], ['fdff::1', 'unique-local'],
    ['ff02::1', 'multicast'], ['100::1', 'discard'], ['100:0:0:1::1', 'dummy-prefix'], ['2001:2::1', 'benchmarking'], ['2001:10::1', 'orchid'],
    ['2001:2f::1', 'orchid'], ['2001:1::1', 'protocol-assignments'], ['2001:db8::1', 'documentation'], ['3fff:fff::1', 'documentation'],
    ['5f00::1', 'srv6'], ['2620:4f:8000::1', 'as112'], ['4000::1', 'reserved'], ['200::1', 'reserved'], ['::ffff:1', 'ipv4-compatible'], ['fe00::1', 'reserved'],
    // IPv4 inside: mapped and NAT64 are judged by it
    ['::ffff:127.0.0.1', 'loopback'], ['::ffff:7f00:1', 'loopback'], ['::FFFF:A9FE:A9FE', 'metadata'], ['0:0:0:0:0:ffff:10.0.0.1', 'private'],
    ['::ffff:8.8.8.8', null], ['192.0.2.1', null], ['198.51.100.1', null], ['203.0.113.1', null], ['::ffff:0.0.0.0', 'unspecified'], ['64:ff9b::10.0.0.1', 'private'], ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['64:ff9b::168.63.129.16', 'metadata'], ['64:ff9b::8.8.8.8', null],
    // IPv4 inside: all others are refused altogether
    ['::127.0.0.1', 'ipv4-compatible'], ['::8.8.8.8', 'ipv4-compatible'], ['::ffff:0:127.0.0.1', 'ipv4-translated'], ['::ffff:0:8.8.8.8', 'ipv4-translated'],
    ['64:ff9b:1::10.0.0.1', 'local-nat64'], ['64:ff9b:1::8.8.8.8', 'local-nat64'], ['64:ff9b:2::8.8.8.8', 'reserved'], ['64:ff9b:0:0:0:1:808:808', 'reserved'],
    ['2002:7f00:1::1', '6to4'], ['2002:808:808::1', '6to4'], ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'teredo'],
    ['2606:4700::5efe:10.0.0.1', 'isatap'], ['2606:4700::200:5efe:10.0.0.1', 'isatap'], ['2606:4700::200:5efe:8.8.8.8', 'isatap'],
    // not strictly an address
    ['fe80::1%eth0', 'zone-id'], ['2606:4700::1%1', 'zone-id'], ['127.1', 'not-an-address'], ['0x7f.0.0.1', 'not-an-address'], ['0177.0.0.1', 'not-an-address'],
    ['2130706433', 'not-an-address'], ['8.8.8.08', 'not-an-address'], ['8.8.8.8.', 'not-an-address'], [' 8.8.8.8', 'not-an-address'], ['8.8.8.8\n', 'not-an-address'],
    ['8.8.8.8:80', 'not-an-address'], ['8.8.8.8/32', 'not-an-address'], ['[::1]', 'not-an-address'], ['::ffff:127.1', 'not-an-address'], ['1::2::3', 'not-an-address'],
    ['１.１.１.１', 'not-an-address'], ['localhost', 'not-an-address'], ['', 'not-an-address'],
  ])('%j: %s', (address, range) => {
    expect(isForbiddenAddress(address)).toBe(range);
  });
});

test.each([...forbiddenIpv4, ...forbiddenIpv6])('$cidr is forbidden from its first address to its last, by a valid prefix ($source)', ({ cidr }) => {
  const [network, bits] = ipaddr.parseCIDR(cidr);
  const first = network.toByteArray();
  const last = first.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, bits - i * 8))));
  for (const bytes of [first, last]) {
    const address = ipaddr.fromByteArray(bytes).toString();
    expect(isForbiddenAddress(address), address).not.toBeNull();
  }
  // A prefix with bits set beyond its length would be a slip of the pen.
  const spill = first.map((byte, i) => byte & (0xff >> Math.min(8, Math.max(0, bits - i * 8))));
  expect(spill.every((byte) => byte === 0)).toBe(true);
});

test('every IPv4 address is judged alike by itself, mapped and over NAT64', () => {
  for (let i = 0; i < 2 ** 16; i += 97) {
    const ipv4 = `${i >> 8}.${i & 255}.${(i * 7) & 255}.${(i * 13) & 255}`;
    expect(isForbiddenAddress(`::ffff:${ipv4}`)).toBe(isForbiddenAddress(ipv4));
    expect(isForbiddenAddress(`64:ff9b::${ipv4}`)).toBe(isForbiddenAddress(ipv4));
  }
});

describe("the host's own addresses", () => {
  const own = ['127.0.0.1', '203.0.113.7', '2606:4700::7', 'fe80::1%eth0', 'not an address'];
  test.each([
    ['203.0.113.7', true], ['203.0.113.8', false], ['::ffff:203.0.113.7', true], ['::ffff:cb00:7107', true], ['64:ff9b::203.0.113.7', true],
    ['2606:4700:0:0::7', true], ['2606:4700::0007', true], ['2606:4700::8', false], ['fe80::1', true], ['fe80::1%eth1', true],
    ['203.0.113.07', true], ['', true], ['not an address', true],
  ])('%j: %s', (address, expected) => {
    expect(isOwnAddress(address, own)).toBe(expected);
  });
  test('nothing is own where there is none', () => {
    expect(isOwnAddress('8.8.8.8', [])).toBe(false);
  });
});
