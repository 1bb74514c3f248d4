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
  if (pattern.ok) check(matchPath(pattern.value, normal) === matches(pattern.value.split('/'), normal.split('/')), 'a match is what the definition says');
}

function matches(wanted: readonly string[], segments: readonly string[]): boolean {
  if (wanted.length === 0) return segments.length === 0;
  const [first, ...others] = wanted as [string, ...string[]];
  if (first === '**' && others.length === 0) return segments.length > 0;
  if (first === '**') return matches(others, segments) || (segments.length > 0 && wanted.length * segments.length < 64 && matches(wanted, segments.slice(1)));
  return segments.length > 0 && segmentMatches(first, segments[0]!) && matches(others, segments.slice(1));
}

function segmentMatches(pattern: string, segment: string): boolean {
  const expression = pattern.split('*').map((text) => text.replaceAll(/[^A-Za-z0-9]/g, '\\$&')).join('.+');
  return new RegExp(`^${expression}$`, 's').test(segment);
}
