import { isIPv4, isIPv6 } from 'node:net';
import type { HostPattern } from './policy.ts';
import { normaliseHost } from './normalise-host.ts';
import { isPublicSuffix } from './public-suffix.ts';
import { quote } from './quote.ts';

export type ParsedHostPattern = { ok: true; value: HostPattern } | { ok: false; problem: string };

/**
 * Parses the host of an allow rule or a secret binding: `name`, `*.name`, `**.name` or an IPv4 literal. The problem is one clause that
 * quotes the value and ends with the remedy; the caller says which rule or secret it belongs to.
 */
export function parseHostPattern(text: string): ParsedHostPattern {
  const problem = shapeProblem(text);
  if (problem !== null) return { ok: false, problem };
  const wildcard = /^(\*{1,2})\.(.*)$/s.exec(text);
  return wildcard === null ? parseExact(text) : parseWildcard(text, { stars: wildcard[1]!, base: wildcard[2]! });
}

function shapeProblem(text: string): string | null {
  const scheme = /^(?:[a-z][a-z0-9+.-]*:)?\/\/(.*)$/is.exec(text);
  if (scheme !== null) return `${quote(withoutUserinfo(text))} has a scheme: write ${quote(hostOf(scheme[1]!))}`;
  // What stands before the @ may be a password: never quoted.
  if (/^[^/?#\\]*@/.test(text)) return `a user name before ${quote(hostOf(text))} has no place in a host: write ${quote(hostOf(text))}`;
  const ipv6 = /^\[?([0-9a-f:.]+(?:%[^\]]*)?)\]?$/i.exec(text);
  if (ipv6 !== null && isIPv6(ipv6[1]!)) return `the IPv6 address ${quote(text)} is not supported yet: write a name or an IPv4 address`;
  if (/[:/?#\\]/.test(text)) return `${quote(text)} is more than a host: write ${quote(hostOf(text))}${portClause(text)}`;
  if (text === '') return 'the host is missing: write a name such as `api.example.com`';
  if (/^(?:all|any|none)$/i.test(text)) return `${quote(text)} is the name of a host here, and no word for ${/none/i.test(text) ? 'nothing: leave the line out' : 'all of them: name the hosts, one a line'}`;
  if (text === '*' || text === '**') return `${quote(text)} would match every host: name the hosts, one a line`;
  return null;
}

/** Only secrets and client certificates come here with a port: a rule's is split off before. The default port needs no rule. */
function portClause(text: string): string {
  const [, port] = /^[^:/?#\\]+:([1-9][0-9]{0,4})$/.exec(text) ?? [];
  return port === undefined || port === '443' ? '' : `, and open the port by a rule: ${quote(text)} in allow`;
}

function parseExact(text: string): ParsedHostPattern {
  if (text.includes('*')) return misplacedStar(text);
  const name = normaliseHost(text);
  if (name === null) return text.startsWith('.') ? leadingDot(text) : notAName(text);
  if (!isIPv4(name)) return { ok: true, value: { kind: 'exact', name } };
  if (isIPv4(text.replace(/\.$/, ''))) return { ok: true, value: { kind: 'address', name } };
  return { ok: false, problem: `${quote(text)} is an unusual form of an IPv4 address: write ${quote(name)}` };
}

function parseWildcard(text: string, { stars, base }: { stars: string; base: string }): ParsedHostPattern {
  if (base.includes('*')) return misplacedStar(text);
  const name = normaliseHost(base);
  if (name === null) return notAName(text);
  if (isIPv4(name)) return { ok: false, problem: `${quote(text)} puts a wildcard over an IP address: write each address in full, one a line` };
  if (isPublicSuffix(name)) {
    const example = `${stars}.example.${name}`;
    return { ok: false, problem: `${quote(text)} covers the public suffix ${quote(name)}, where anybody can have a name: write the names you need, or a wildcard further down such as ${quote(example)}` };
  }
  return { ok: true, value: { kind: stars === '*' ? 'one-label' : 'any-depth', name } };
}

function misplacedStar(text: string): ParsedHostPattern {
  return { ok: false, problem: `${quote(text)} has a \`*\` that is not the whole first label: write \`*.name\` for one label or \`**.name\` for any depth` };
}

function leadingDot(text: string): ParsedHostPattern {
  const name = text.replace(/^\.+/, '');
  if (normaliseHost(name) === null) return notAName(text);
  return { ok: false, problem: `${quote(text)} begins with a dot: write ${quote(`**.${name}`)} for every name below ${quote(name)}, or that name itself` };
}

function notAName(text: string): ParsedHostPattern {
  return { ok: false, problem: `${quote(text)} is not a host name: write a name such as \`api.example.com\`, without empty labels, spaces or escapes` };
}

function hostOf(text: string): string {
  const authority = text.replace(/^(?:[a-z][a-z0-9+.-]*:)?\/\//i, '').split(/[/?#\\]/, 1)[0]!;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return host.replace(/:[^:\]]*$/, '');
}

function withoutUserinfo(text: string): string {
  return text.replace(/\/\/.*@/s, '//').replace(/[?#].*$/s, '');
}
