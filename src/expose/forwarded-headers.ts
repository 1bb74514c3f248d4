/** Headers between two hops, RFC 9110, 7.6.1. `transfer-encoding` stays, as it tells Node how to frame what it sends. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'te', 'upgrade', 'expect']);

/** What goes on to the other side: name and value in turn, as they came, without what is between two hops alone. */
export function forwardedHeaders(raw: readonly string[]): string[] {
  const named = new Set(pairs(raw).filter(([name]) => name.toLowerCase() === 'connection').flatMap(([, value]) => value.toLowerCase().split(',').map((option) => option.trim())));
  return pairs(raw).filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) && (!named.has(name.toLowerCase()) || NEVER_NAMED.has(name.toLowerCase()))).flat();
}

/** Framing and routing are not `connection`'s to take away. */
const NEVER_NAMED = new Set(['host', 'content-length', 'transfer-encoding']);

function pairs(raw: readonly string[]): [name: string, value: string][] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as [string, string]] : []));
}
