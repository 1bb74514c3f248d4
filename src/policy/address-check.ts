import { isIP, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { forbiddenIpv4, forbiddenIpv6 } from './forbidden-ranges.ts';
import type { ForbiddenRange } from './forbidden-ranges.ts';
import { parseIpv6 } from './parse-ipv6.ts';

/**
 * The name of the range that makes an address one that must not be dialled, or null. Call it with what the resolver returned, and dial
 * that very address: a second look-up could answer differently.
 *
 * An address with an IPv4 address inside is judged by where its packets end up:
 * - IPv4-mapped: the kernel dials the IPv4 address, so that one is judged;
 * - NAT64's well-known prefix (64:ff9b::/96, RFC 6052): also judged by the IPv4 address inside, because runners with IPv6 only reach all
 *   of the public IPv4 internet this way (DNS64);
 * - 6to4, Teredo, ISATAP, IPv4-compatible, IPv4-translated and RFC 8215's local NAT64: refused altogether. Nothing public is reached
 *   through them any more, and refusing them leaves no embedded private address to miss.
 * A network's own NAT64 prefix inside 2000::/3 cannot be told from any other address.
 *
 * Fails closed: text that is not strictly an address (`127.1`, `0x7f.1`, `[::1]`), a zone id, or anything outside 2000::/3 is forbidden.
 */
export function isForbiddenAddress(address: string): string | null {
  if (isIP(address) === 0) return 'not-an-address';
  if (address.includes('%')) return 'zone-id';
  return isIPv4(address) ? rangeOf(ipaddr.IPv4.parse(address), ipv4Ranges) : forbiddenIpv6Name(parseIpv6(address));
}

/**
 * Whether an address is one of the host's own, so that a name that resolves to the runner's public address does not lead back into it.
 * `ownAddresses` are those of `os.networkInterfaces()`. IPv4 inside IPv6 is compared as IPv4. True for what is no address at all.
 */
export function isOwnAddress(address: string, ownAddresses: readonly string[]): boolean {
  if (isIP(address) === 0) return true;
  const canonical = canonicalAddress(address);
  return ownAddresses.some((own) => isIP(own) !== 0 && canonicalAddress(own) === canonical);
}

function forbiddenIpv6Name(address: ipaddr.IPv6): string | null {
  const named = rangeOf(address, ipv6Ranges);
  if (named !== null) return named;
  const inside = innerIpv4(address);
  if (inside !== null) return rangeOf(inside, ipv4Ranges);
  if (isIsatap(address)) return 'isatap';
  // RFC 4291 section 2.4 and the IANA IPv6 address space: all global unicast that is assigned lies in 2000::/3.
  return address.match(globalUnicast) ? null : 'reserved';
}

type ParsedRange = { network: [ipaddr.IPv4 | ipaddr.IPv6, number]; name: string };

// Parsed once: a check runs for every address of every connection.
const ipv4Ranges = parseRanges(forbiddenIpv4);
const ipv6Ranges = parseRanges(forbiddenIpv6);
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

function parseRanges(ranges: readonly ForbiddenRange[]): readonly ParsedRange[] {
  return ranges.map(({ cidr, name }) => ({ network: ipaddr.parseCIDR(cidr), name }));
}

function rangeOf(address: ipaddr.IPv4 | ipaddr.IPv6, ranges: readonly ParsedRange[]): string | null {
  return ranges.find(({ network }) => address.match(network))?.name ?? null;
}

/** The IPv4 address that packets to an IPv4-mapped or NAT64 address end up at. */
function innerIpv4(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  const embeds = innerPrefixes.some((network) => address.match(network));
  return embeds ? new ipaddr.IPv4(address.toByteArray().slice(12)) : null;
}

// RFC 4291 section 2.5.5.2 and RFC 6052 section 2.1.
const innerPrefixes = ['::ffff:0:0/96', '64:ff9b::/96'].map((cidr) => ipaddr.IPv6.parseCIDR(cidr));

/** RFC 5214 section 6.1: the interface id is 0000:5efe or 0200:5efe and the IPv4 address of the tunnel's end, under any prefix. */
function isIsatap(address: ipaddr.IPv6): boolean {
  return (address.parts[4]! & ~0x0200) === 0 && address.parts[5] === 0x5efe;
}

function canonicalAddress(address: string): string {
  if (isIPv4(address)) return address;
  const ipv6 = parseIpv6(address.replace(/%.*$/, ''));
  return innerIpv4(ipv6)?.toString() ?? ipv6.toNormalizedString();
}
