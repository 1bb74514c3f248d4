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
  const codings = namesIn(contentEncoding).filter((name) => name !== 'identity');
  if (codings.length === 0) return null;
  return codings.length <= maxCodings && codings.every((coding) => decodableCodings.has(coding)) ? codings.join() : 'unknown';
}

/**
 * The same for a request, which may also be in `aws-chunked`, applied last wherever it is named: by itself or over gzip, which no body can be taken for. Over others, servers that go by
 * the order might read another body than is searched.
 */
export function parseRequestCoding(contentEncoding: string | null): string | null | 'unknown' {
  const names = namesIn(contentEncoding);
  const others = names.filter((name) => name !== AWS_CHUNKED);
  if (names.length - others.length !== 1) return parseCoding(contentEncoding);
  if (others.length === 0) return AWS_CHUNKED;
  return others.join() === 'gzip' ? `gzip,${AWS_CHUNKED}` : 'unknown';
}

export const AWS_CHUNKED = 'aws-chunked';

function namesIn(contentEncoding: string | null): string[] {
  return (contentEncoding ?? '').toLowerCase().split(',').map((text) => text.trim()).filter((text) => text !== '');
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
