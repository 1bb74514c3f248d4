import { createHash, timingSafeEqual } from 'node:crypto';

export const TOKEN_HEADER = 'x-decoy-token';

/** `headers`: what goes on, name and value in turn. */
export type Taken = { ok: true; headers: string[] } | { ok: false; reason: 'missing' | 'wrong' | 'elsewhere' };

/**
 * Takes the token out of a request's headers. It is looked for in `x-decoy-token`, then in `authorization`, as Bearer or as the password of Basic
 * credentials; credentials that do not hold it are the server's own and go on. A request that holds it anywhere else is not fit to go on.
 */
export function takeToken(request: { url: string; rawHeaders: readonly string[] }, token: string): Taken {
  const headers: string[] = [];
  let presented = 0;
  let taken = false;
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] as string;
    const value = request.rawHeaders[i + 1] as string;
    const candidate = candidateOf(name.toLowerCase(), value);
    if (candidate !== null) presented += 1;
    const right = candidate !== null && isSame(candidate, token);
    taken ||= right;
    // A wrong one in its own header is nothing the server should see either.
    if (!right && name.toLowerCase() !== TOKEN_HEADER) headers.push(name, value);
  }
  if (!taken) return { ok: false, reason: presented > 0 ? 'wrong' : 'missing' };
  return holds([request.url, ...headers], token) ? { ok: false, reason: 'elsewhere' } : { ok: true, headers };
}

function candidateOf(name: string, value: string): string | null {
  if (name === TOKEN_HEADER) return value.trim();
  if (name !== 'authorization') return null;
  const [, scheme = '', credentials = ''] = /^\s*([A-Za-z]+)\s+(\S+)\s*$/.exec(value) ?? [];
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() !== 'basic') return null;
  const decoded = Buffer.from(credentials, 'base64').toString('latin1');
  return decoded.slice(decoded.indexOf(':') + 1);
}

/** Of hashes, so that neither length nor content shows in the time it takes. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function holds(texts: readonly string[], token: string): boolean {
  return texts.some((text) => text.includes(token) || decoded(text).includes(token));
}

function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
