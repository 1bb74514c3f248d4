/**
 * Whether a normalised path is covered by a path pattern. `*` is one or more characters of one segment. `**` is any number of whole
 * segments, none included, except at the end: `/v1/**` is everything below `/v1/` and `/v1/` itself, but not `/v1`. All else is itself.
 *
 * Both loops keep one place to go back to, the last wildcard, so that a pattern of many wildcards costs no more than the product of both
 * lengths: a sandbox cannot stall the proxy with a path made for the pattern.
 */
export function matchPath(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const segments = path.split('/');
  let at = 0;
  let wantedAt = 0;
  let retry: { at: number; wantedAt: number } | null = null;
  while (at < segments.length) {
    if (wanted[wantedAt] === '**') {
      if (wantedAt === wanted.length - 1) return true;
      retry = { at, wantedAt: wantedAt + 1 };
      wantedAt += 1;
    } else if (wantedAt < wanted.length && matchSegment(wanted[wantedAt]!, segments[at]!)) {
      at += 1;
      wantedAt += 1;
    } else if (retry !== null) {
      retry = { at: retry.at + 1, wantedAt: retry.wantedAt };
      ({ at, wantedAt } = retry);
    } else {
      return false;
    }
  }
  return wantedAt === wanted.length;
}

function matchSegment(pattern: string, segment: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0]!;
  if (parts.length === 1) return segment === first;
  const last = parts.at(-1)!;
  if (!segment.startsWith(first)) return false;
  let end = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = segment.indexOf(part, end + 1);
    if (found === -1) return false;
    end = found + part.length;
  }
  return segment.length - last.length > end && segment.endsWith(last);
}
