/**
 * The content codings that can be undone, as a client or server names them. `compress` (LZW) is not among them: no server in use sends it.
 */
export const decodableCodings: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br', 'zstd']);

/** Real answers have one, seldom two; each costs a decoder and its window. */
const maxCodings = 3;

/**
 * The codings named by a Content-Encoding value, in the order they were applied, joined by commas: null for none, `unknown` where one
 * cannot be undone or there are too many.
 */
export function parseCoding(contentEncoding: string | null): string | null | 'unknown' {
  const codings = (contentEncoding ?? '').toLowerCase().split(',').map((text) => text.trim())
    .filter((text) => text !== '' && text !== 'identity');
  if (codings.length === 0) return null;
  return codings.length <= maxCodings && codings.every((coding) => decodableCodings.has(coding)) ? codings.join() : 'unknown';
}

/**
 * What to send as Accept-Encoding where the answer must be read: the client's codings as far as they can be undone. Without the
 * header any coding would be acceptable, so `identity` is asked for (RFC 9110, 12.5.3).
 */
export function reduceAcceptEncoding(acceptEncoding: string | null): string {
  const kept = (acceptEncoding ?? '').split(',').map((text) => text.trim())
    .filter((text) => decodableCodings.has(text.split(';')[0]!.trim().toLowerCase()));
  return kept.length === 0 ? 'identity' : kept.join(', ');
}
