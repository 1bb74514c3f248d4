import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { ResolveEntry } from './policy.ts';
import { normaliseHost } from './normalise-host.ts';
import { parseHostPattern } from './parse-host-pattern.ts';
import { parseIpv6 } from './parse-ipv6.ts';
import { quote } from './quote.ts';

/**
 * Parses the lines of `resolve`: `host:port:address[:port]`, as curl's `--resolve` with one address, an IPv6 address in brackets. The
 * second port is the one dialled, where it differs. Blank lines and `#` comments are skipped. Never throws: every problem is returned.
 */
export function parseResolve(lines: readonly string[]): { entries: ResolveEntry[]; problems: string[] } {
  const entries = new Map<string, ResolveEntry>();
  const problems: string[] = [];
  for (const line of lines) {
    const text = line.replace(/(?:^|\s)#.*$/s, '').trim();
    if (text === '') continue;
    const parsed = parseEntry(text);
    const key = typeof parsed === 'string' ? '' : `${parsed.host}:${parsed.port}`;
    const earlier = entries.get(key);
    const problem = typeof parsed === 'string' ? parsed : earlier && contradiction(parsed, earlier);
    if (problem !== undefined) problems.push(`resolve ${quote(text)}: ${problem}.`);
    else if (typeof parsed !== 'string') entries.set(key, parsed);
  }
  return { entries: [...entries.values()], problems };
}

/** An entry, or the problem with it. */
function parseEntry(text: string): ResolveEntry | string {
  const fields = /^([^:[\]]*):([^:[\]]*):(\[[^\]]*\]|[^:[\]]*)(?::([^:[\]]*))?$/.exec(text);
  if (fields === null) return shape;
  const [, hostText = '', portText = '', addressText = '', addressPortText = portText] = fields;
  if (/^https?$/i.test(hostText) && portText.startsWith('//')) return shape;
  const pattern = parseHostPattern(hostText);
  if (!pattern.ok) return pattern.problem;
  if (pattern.value.kind !== 'exact' && pattern.value.kind !== 'address') return `${quote(hostText)} is a wildcard: write one line for each name`;
  for (const port of [portText, addressPortText]) {
    if (!isPort(port)) return `the port ${quote(port)} is not a number from 1 to 65535: write such a number`;
  }
  const address = parseAddress(addressText);
  if (!address.ok) return address.problem;
  return { host: pattern.value.name, port: Number(portText), address: address.value, addressPort: Number(addressPortText) };
}

const shape = 'it is not `host:port:address[:port]`: write for example `db.example.com:443:10.0.0.5` or, for IPv6, `db.example.com:443:[fd00::5]`';

function parseAddress(text: string): { ok: true; value: string } | { ok: false; problem: string } {
  if (text.includes(',')) return { ok: false, problem: `${quote(text)} is more than one address: write one` };
  if (isIPv4(text)) return dialable(text);
  const inner = text.startsWith('[') ? text.slice(1, -1) : '';
  if (isIPv6(inner)) return parseBracketed(text, inner);
  // `127.1` and the like: what a client would make of it is quoted, not silently taken.
  const canonical = normaliseHost(text);
  if (canonical !== null && isIPv4(canonical)) return { ok: false, problem: `${quote(text)} is an unusual form of an IPv4 address: write ${quote(canonical)}` };
  return { ok: false, problem: `${quote(text)} is not an IP address: write the address itself, IPv6 in brackets` };
}

function parseBracketed(text: string, inner: string): { ok: true; value: string } | { ok: false; problem: string } {
  if (inner.includes('%')) return { ok: false, problem: `${quote(text)} has a zone id: write an address that is not link-local` };
  const address = parseIpv6(inner);
  if (address.isIPv4MappedAddress()) return { ok: false, problem: `${quote(text)} is an IPv4 address in IPv6 form: write ${quote(address.toIPv4Address().toString())}` };
  return dialable(address.toRFC5952String());
}

function dialable(address: string): { ok: true; value: string } | { ok: false; problem: string } {
  const range = ipaddr.parse(address).range();
  if (range === 'unspecified') return { ok: false, problem: `${quote(address)} stands for every address of this host: write the one that is meant, for example \`127.0.0.1\`` };
  if (range === 'multicast' || range === 'broadcast') return { ok: false, problem: `${quote(address)} is a ${range} address, which nothing can connect to: write the address of one host` };
  return { ok: true, value: address };
}

function isPort(text: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535;
}

function contradiction(entry: ResolveEntry, earlier: ResolveEntry): string | undefined {
  if (entry.address === earlier.address && entry.addressPort === earlier.addressPort) return undefined;
  return `${quote(`${entry.host}:${entry.port}`)} is already sent to ${quote(earlier.address)}, port ${earlier.addressPort}: remove one of the two lines`;
}
