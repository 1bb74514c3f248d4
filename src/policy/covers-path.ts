import { matchPath } from './match-path.ts';

/**
 * Whether a path pattern covers a normalised path, whichever of the paths a server may make of it. Servlet containers leave out what follows a semicolon in a
 * segment (its parameters), and where an escaped `?` or `#` is decoded too early the path ends there: `/files/*.json` must not cover
 * `/files/key.pem;.json`, nor `/v1/*\/log` the path `/v1/keys%3F/log`. The pattern is shortened in the same way, so that one with parameters can be written.
 */
export function coversPath(pattern: string, path: string): boolean {
  if (!matchPath(pattern, path)) return false;
  return !shortenable.test(path) || shortenings.every((shorten) => matchPath(shorten(pattern), shorten(path)));
}

const shortenable = /;|%3B|%3F|%23/;
const withoutParameters = (path: string) => path.replace(/(?:;|%3B)[^/]*/g, '');
const upToMark = (path: string) => path.replace(/(?:%3F|%23).*$/, '');
const shortenings = [withoutParameters, upToMark, (path: string) => upToMark(withoutParameters(path)), (path: string) => withoutParameters(upToMark(path))];
