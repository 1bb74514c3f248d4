import ipaddr from 'ipaddr.js';

/**
 * Parses text that `net.isIPv6` has accepted, without a zone id. A dotted tail is first written as two hex groups, because ipaddr.js takes
 * `::8.8.8.8` for `::ffff:8.8.8.8`, and the address judged must be the one the kernel would dial (RFC 4291 section 2.2).
 */
export function parseIpv6(text: string): ipaddr.IPv6 {
  return ipaddr.IPv6.parse(text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => `${hexGroup(a, b)}:${hexGroup(c, d)}`));
}

function hexGroup(high: string, low: string): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}
