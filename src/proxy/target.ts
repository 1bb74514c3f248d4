import { isIP } from 'node:net';
import type { Destination } from '../policy/policy.ts';
import type { ClientRequest } from './client.ts';
import type { RawHeaders } from './headers.ts';
import type { Refusal } from './refusal.ts';

export type Target =
  /** `url` is the origin form with the query, `path` without it; both start with `/`, or are `*` for OPTIONS */
  | { ok: true; url: string; path: string; host: string }
  | { ok: false; refusal: Refusal };

type TargetParts = Pick<ClientRequest, 'version' | 'method' | 'url' | 'pseudo' | 'rawHeaders'>;

/**
 * Holds a request to the connection's destination. Every name a request can carry (Host, the authority of an absolute-form
 * target) must be the destination, on every request of a kept-alive connection: otherwise a rule for one host, or a secret
 * bound to it, would serve another virtual host behind the same address (RFC 9110, 4.3.3 and 7.4).
 */
export function parseTarget(request: TargetParts, destination: Destination): Target {
  const host = formatHost(destination);
  if (request.pseudo !== null) return parseHttp2Target(request, { destination, host, pseudo: request.pseudo });
  const named = singleHost(request.rawHeaders);
  // HTTP/1.0 has no Host; the destination is sent upstream in its place.
  const isMissing = named === null && request.version === '1.0';
  if (named === null && !isMissing) return mismatch(400, 'Send exactly one Host header with the name the connection was opened to.');
  if (named !== null && named !== host && normalizeAuthority(named, destination) !== host) {
    return mismatch(421, `Send a Host header that is "${host}", the name the connection was opened to, or open another connection.`);
  }
  return originForm(request.url, { destination, host, method: request.method });
}

/** The destination as Host says it: an IPv6 literal in brackets, the default port left out. */
export function formatHost({ scheme, host, port }: Destination): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === defaultPort(scheme) ? name : `${name}:${port}`;
}

/**
 * HTTP/2 names the destination in :authority and :scheme, and may name it in Host as well. :authority is asked for although a
 * Host alone would do (RFC 9113, 8.3.1): every client sends it, and one name is less than two to disagree.
 */
function parseHttp2Target(request: TargetParts, { destination, host, pseudo }: { destination: Destination; host: string; pseudo: { scheme: string | null; authority: string | null } }): Target {
  if (pseudo.authority === null) return mismatch(400, 'Send an :authority with the name the connection was opened to.');
  const others = request.rawHeaders.filter((_, i) => i % 2 === 1 && request.rawHeaders[i - 1] === 'host');
  if ([pseudo.authority, ...others].some((name) => name !== host && normalizeAuthority(name, destination) !== host)) {
    return mismatch(421, `Send an :authority, and a Host header if any, that is "${host}", the name the connection was opened to, or open another connection.`);
  }
  if (pseudo.scheme !== destination.scheme) return mismatch(421, `Send "${destination.scheme}" as :scheme, as the connection has it.`);
  if (!request.url.startsWith('/') && request.url !== '*') return mismatch(400, 'Send a :path that starts with "/".');
  return originForm(request.url, { destination, host, method: request.method });
}

function originForm(url: string, { destination, host, method }: { destination: Destination; host: string; method: string }): Target {
  if (url.startsWith('/')) return accepted(url, host);
  if (url === '*' && method === 'OPTIONS') return { ok: true, url, path: url, host };
  const absolute = /^(https?):\/\/([^/?#]*)([^#]*)$/i.exec(url);
  if (absolute === null) return mismatch(400, 'Send the target as a path that starts with "/".');
  const [, scheme, authority, rest] = absolute as unknown as [string, string, string, string];
  if (scheme.toLowerCase() !== destination.scheme || normalizeAuthority(authority, destination) !== host) {
    return mismatch(421, `Send a target on "${destination.scheme}://${host}", where the connection was opened to.`);
  }
  return accepted(rest.startsWith('/') ? rest : `/${rest}`, host);
}

function accepted(url: string, host: string): Target {
  // A fragment is never sent; a server that cut it off would see another path than the policy did.
  if (url.includes('#')) return mismatch(400, 'Send the target without a fragment.');
  const question = url.indexOf('?');
  return { ok: true, url, path: question === -1 ? url : url.slice(0, question), host };
}

function singleHost(rawHeaders: RawHeaders): string | null {
  let found: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (found !== null) return null;
    found = rawHeaders[i + 1]!;
  }
  return found;
}

/** Lower case, no trailing dot, no default port; null for anything else than `host` or `host:port`, userinfo included. */
function normalizeAuthority(authority: string, { scheme }: Destination): string | null {
  const parts = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::([0-9]{1,5}))?$/i.exec(authority);
  if (parts === null) return null;
  const name = parts[1]!.toLowerCase();
  const port = parts[2] === undefined ? defaultPort(scheme) : Number(parts[2]);
  const canonical = name.startsWith('[') ? canonicalLiteral(name) : name;
  return port === defaultPort(scheme) ? canonical : `${canonical}:${port}`;
}

function canonicalLiteral(bracketed: string): string {
  return URL.canParse(`http://${bracketed}`) ? new URL(`http://${bracketed}`).hostname : bracketed;
}

function defaultPort(scheme: 'https' | 'http'): number {
  return scheme === 'https' ? 443 : 80;
}

function mismatch(status: 400 | 421, remedy: string): Target {
  return { ok: false, refusal: { status, decision: 'blocked', reason: 'host-mismatch', remedy } };
}
