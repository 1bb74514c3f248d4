import { normaliseHost } from '../policy/normalise-host.ts';
import { quote } from '../policy/quote.ts';
import type { UpstreamProxies, UpstreamProxy } from '../proxy/upstream-proxy.ts';

/**
 * Reads the proxies of this machine's network from its environment, as curl does: HTTPS_PROXY for https, HTTP_PROXY for http, ALL_PROXY
 * where that one is missing, NO_PROXY for what needs none; the lower-case name first, empty is unset, no scheme is http. A problem is one
 * sentence with the value, but never with its user name and password.
 */
export function parseUpstreamProxies(environment: Readonly<Record<string, string | undefined>>): { proxies: UpstreamProxies | null; problems: string[] } {
  const problems = new Set<string>();
  const find = (name: string) => [name.toLowerCase(), name].find((variable) => environment[variable]?.trim());
  const read = (name: string): UpstreamProxy | null => {
    const variable = find(name) ?? find('ALL_PROXY');
    if (variable === undefined) return null;
    const parsed = parseProxy(environment[variable]!.trim(), variable);
    if (!parsed.ok) problems.add(`${variable}: ${parsed.problem}`);
    return parsed.ok ? parsed.value : null;
  };
  const proxies = { https: read('HTTPS_PROXY'), http: read('HTTP_PROXY'), noProxy: environment[find('NO_PROXY') ?? ''] ?? '' };
  return { proxies: proxies.https === null && proxies.http === null ? null : proxies, problems: [...problems] };
}

type Parsed = { ok: true; value: UpstreamProxy } | { ok: false; problem: string };

function parseProxy(text: string, variable: string): Parsed {
  // Behind the last @: a password that is not percent-encoded may hold any of the characters that end a URL's parts.
  const shown = quote(text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1'));
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const scheme = withScheme.slice(0, withScheme.indexOf(':')).toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return { ok: false, problem: `${shown} is no HTTP proxy: write \`http://HOST:PORT\` or \`https://HOST:PORT\`, or unset it for Decoy` };
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  const host = url && normaliseHost(url.hostname);
  if (url === null || host === null) return { ok: false, problem: `${shown} is not the address of a proxy: write \`http://HOST:PORT\`, a user name and password before it percent-encoded` };
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return { ok: false, problem: `${shown} is more than the address of a proxy: write \`${scheme}://HOST:PORT\`, a user name and password before it percent-encoded` };
  const authorization = parseAuthorization(url);
  if (authorization === undefined) return { ok: false, problem: `the user name or password before ${shown} is not percent-encoded: write \`%25\` for a percent sign` };
  return { ok: true, value: { variable, scheme, host, port: Number(url.port) || (scheme === 'https' ? 443 : 80), authorization } };
}

/** Basic (RFC 7617); null where there are no credentials, undefined where they cannot be decoded. */
function parseAuthorization({ username, password }: URL): string | null | undefined {
  if (username === '' && password === '') return null;
  try {
    return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
  } catch {
    return undefined;
  }
}
