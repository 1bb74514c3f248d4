import { getDomain } from 'tldts';
import { methods as nameableMethods, parseRules } from '../policy/parse-rules.ts';
import type { AskedRequest } from './asked-requests.ts';
import { covers, foldPaths } from './fold-paths.ts';
import { isPublicHost } from './is-public-host.ts';

export type SuggestOptions = {
  /** write `**.example.com` where at least three names below `example.com` were asked for; off by default */
  wildcardHosts?: boolean;
};

/**
 * The smallest list of rules that allows what was asked for, in a stable order: a line for each path pattern of each host and port, with the methods
 * that were used on it. Hosts are never made wider unless that is asked for. Each line parses as a rule; what no rule can allow is left out.
 */
export function suggestAllow(requests: readonly AskedRequest[], { wildcardHosts = false }: SuggestOptions = {}): string[] {
  const known = requests.filter(({ protocol }) => protocol !== 'dns');
  const seen = new Set(known.map(({ host }) => host));
  // A name alone says least: it counts only where nothing more is known of it.
  const nameOnly = requests.filter(({ protocol, host }) => protocol === 'dns' && !seen.has(host));
  const hostFor = wildcardHosts ? widen(requests) : (host: string) => host;
  const endpoints = new Map<string, Use[]>();
  for (const { protocol, host, port, method, path } of [...known.filter((request) => request.protocol !== 'tcp'), ...nameOnly]) {
    const target = `${hostFor(host)}${port === null || port === (protocol === 'https' ? 443 : 80) ? '' : `:${port}`}`;
    endpoints.set(target, [...endpoints.get(target) ?? [], { method, path }]);
  }
  const http = [...endpoints].flatMap(([target, uses]) => linesFor(target, uses));
  const raw = known.filter(({ protocol, host, port }) => protocol === 'tcp' && !endpoints.has(`${hostFor(host)}:${port}`)).map(({ host, port }) => `tcp://${hostFor(host)}:${port}`);
  return [...http.sort(byTarget), ...[...new Set(raw)].sort()].filter((line) => parseRules([line]).problems.length === 0);
}

type Use = Pick<AskedRequest, 'method' | 'path'>;

/** `methods` null: any */
type Line = { pattern: string; methods: readonly string[] | null };

function linesFor(target: string, uses: readonly Use[]): string[] {
  const pathsOf = new Map<string | null, (string | null)[]>();
  for (const { method, path } of uses) {
    const name = method !== null && nameableMethods.includes(method) ? method : null;
    pathsOf.set(name, [...pathsOf.get(name) ?? [], path]);
  }
  const methodsOf = new Map<string, (string | null)[]>();
  for (const [method, paths] of pathsOf) {
    for (const pattern of patternsOf(paths)) methodsOf.set(pattern, [...methodsOf.get(pattern) ?? [], method]);
  }
  const lines = [...methodsOf].map(([pattern, methods]): Line => ({ pattern, methods: methods.includes(null) ? null : methods.map((method) => method!).sort() }));
  return lines.filter((line) => !lines.some((other) => other !== line && includes(other, line)))
    .map(({ pattern, methods }) => `${methods === null ? '' : `${methods.join(',')} `}${target}${pattern}`);
}

/** Folded, and any path as none. */
function patternsOf(paths: readonly (string | null)[]): string[] {
  if (paths.includes(null)) return [''];
  const folded = foldPaths(paths.map((path) => path!));
  return folded.includes('/**') ? [''] : folded;
}

function includes(wide: Line, narrow: Line): boolean {
  const hasMethods = wide.methods === null || (narrow.methods !== null && narrow.methods.every((method) => wide.methods!.includes(method)));
  return hasMethods && (wide.pattern === '' || covers(wide.pattern, narrow.pattern));
}

/** By host first, then as text. */
function byTarget(a: string, b: string): number {
  const [left, right] = [a, b].map((line) => line.split(' ').at(-1)!) as [string, string];
  return left === right ? (a < b ? -1 : 1) : left < right ? -1 : 1;
}

/** Names that are one of three or more below the same registrable domain (publicsuffix.org, private section included). */
function widen(requests: readonly AskedRequest[]): (host: string) => string {
  const below = new Map<string, Set<string>>();
  const domainOf = (host: string) => (isPublicHost(host) ? getDomain(host, { allowPrivateDomains: true, detectIp: true }) : null);
  for (const { host } of requests) {
    const domain = domainOf(host);
    if (domain !== null && domain !== host) below.set(domain, (below.get(domain) ?? new Set()).add(host));
  }
  return (host) => {
    const domain = domainOf(host);
    return domain !== null && domain !== host && (below.get(domain)?.size ?? 0) >= 3 ? `**.${domain}` : host;
  };
}
