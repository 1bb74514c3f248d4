import { matchPath } from '../../src/policy/match-path.ts';
import { normalisePath } from '../../src/policy/normalise-path.ts';
import { parsePathPattern } from '../../src/policy/parse-path-pattern.ts';
import { check, readBytes } from './bytes.ts';

/** Paths: normalising is idempotent and sees through escapes, a match is what the definition says, and no match leads out of its prefix. */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const every = 1 + bytes.below(4);
  const pattern = parsePathPattern(`/${bytes.line()}`);
  const path = `/${bytes.rest().toString('latin1')}`;
  const normal = normalisePath(path);
  const escaped = [...path].map((character, at) => (at % every === 0 && /[A-Za-z0-9._~-]/.test(character) ? `%${character.charCodeAt(0).toString(16)}` : character)).join('');
  // An escape within an escape is another text.
  if (!path.includes('%')) check(normalisePath(escaped) === normal, 'escapes of plain characters change nothing');
  if (normal === null) return;
  check(normalisePath(normal) === normal, 'normalising a path twice changes nothing');
  // In a request a path ends before these.
  if (!/[?#]/.test(normal)) check(new URL(`https://a.test${normal}`).pathname.split('/').length === normal.split('/').length, 'a URL parser has nothing to resolve');
  if (!pattern.ok) return;
  const isMatch = matchPath(pattern.value, normal);
  check(isMatch === matches(pattern.value.split('/'), normal.split('/')), 'a match is what the definition says');
  check(!isMatch || normal.startsWith(pattern.value.split('*', 1)[0]!), 'a match begins like its pattern');
}

/** All numbers of segments that the pattern so far can stand for, one part of it after the other. */
function matches(wanted: readonly string[], segments: readonly string[]): boolean {
  let reached = [0];
  for (const [turn, part] of wanted.entries()) {
    const isLast = turn === wanted.length - 1;
    const ends = reached.flatMap((at) => {
      if (part !== '**') return at < segments.length && segmentMatches(part, segments[at]!) ? [at + 1] : [];
      if (isLast) return at < segments.length ? [segments.length] : [];
      return Array.from({ length: segments.length - at + 1 }, (_, more) => at + more);
    });
    reached = [...new Set(ends)];
  }
  return reached.includes(segments.length);
}

/** The same for characters: a star is one or more of them. */
function segmentMatches(pattern: string, segment: string): boolean {
  let reached = [0];
  for (const character of pattern) {
    const first = Math.min(...reached);
    if (reached.length === 0) return false;
    reached = character === '*'
      ? Array.from({ length: Math.max(0, segment.length - first) }, (_, more) => first + 1 + more)
      : reached.filter((at) => segment[at] === character).map((at) => at + 1);
  }
  return reached.includes(segment.length);
}
