/**
 * The one spelling of a path that path rules compare (RFC 3986 section 6.2.2): escapes of unreserved characters decoded, the hex of all
 * others in upper case. Null where two programs could read two different paths in it, so that what is judged here might not be what the
 * upstream serves: then no rule with a path matches. That is the case for
 *
 * - a segment of dots only (`..`, `%2e%2e`, also with spaces or characters of no width around them, which some servers trim, and before `;`
 *   as in `..;x`, which servlet containers strip, or an escaped `?` or `#`, which ends the path where it is decoded too early), or of nothing else;
 * - an escaped `/`, `\`, `%` or control character (`%2F` may be a separator, `%252e` may be decoded twice), or an escape that is not UTF-8;
 * - `//`, a backslash, a control character, a space or any character outside ASCII as it is;
 * - a character that compatibility forms fold to one of these or to `;`, `?`, `#` (U+FF0F to `/`), or that a code page of Windows has in its place.
 */
export function normalisePath(path: string): string | null {
  if (plain.test(path)) return path;
  if (!path.startsWith('/') || notVisibleAscii.test(path) || /%(?![0-9a-f]{2})/i.test(path)) return null;
  const normal = path.replace(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return unreserved.test(character) ? character : escape.toUpperCase();
  });
  if (ambiguousEscape.test(normal) || hasAmbiguousSegments(normal)) return null;
  const decoded = decode(normal);
  if (decoded === null) return null;
  if (lookalikes.test(decoded)) return null;
  const folded = decoded.normalize('NFKC');
  return marksOf(folded) === marksOf(decoded) && !hasAmbiguousSegments(folded) ? normal : null;
}

function marksOf(text: string): string {
  return text.replace(/[^/\\%;?#]/g, '');
}

/** Nothing in it has another reading: no escape, no empty segment, none that begins with a dot. */
const plain = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*\/?$/;
const notVisibleAscii = /[^\x21-\x7e]|\\/;
// RFC 3986 section 2.3
const unreserved = /[A-Za-z0-9._~-]/;
const ambiguousEscape = /%(?:2F|5C|25|[01][0-9A-F]|7F)/;

/** Slashes and backslashes to "best fit" conversions of Windows, which NFKC leaves as they are: in code page 1252, Shift JIS and Korean. */
const lookalikes = /[\u2044\u2215\u2216\u00a5\u20a9]/;

function hasAmbiguousSegments(path: string): boolean {
  return path.includes('//') || path.split('/').some((segment) => segment !== '' && isNoName(segment.replace(trimmed, '')));
}

function isNoName(segment: string): boolean {
  return segment === '' || dotsOnly.test(segment);
}

/** spaces, controls and characters of no width */
const trimmed = /[\p{C}\p{Z}\p{DI}]|%20/gu;
/** with the full stop of Chinese and Japanese, which host names treat as a dot (UTS 46) */
const dotsOnly = /^[.\u3002]+(?:$|[;?#]|%3[BF]|%23)/;

function decode(path: string): string | null {
  try {
    // Throws for overlong and otherwise invalid UTF-8 (`%c0%ae` is an overlong dot).
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
