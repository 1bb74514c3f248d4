import { hyphenated } from '../secrets/hyphenated.ts';
import type { ClientRequest } from './client.ts';

/** A method and a path that some servers take a request for, because a header of it says so. */
export type Reading = { method: string; path: string };

/** Understood by many frameworks (Rails, Symfony, Express's method-override, ASP.NET). */
const methodHeaders: ReadonlySet<string> = new Set(['x-http-method-override', 'x-http-method', 'x-method-override']);
/** Understood by IIS's URL rewriting and by servers behind it (Symfony, Zend). */
const pathHeaders: ReadonlySet<string> = new Set(['x-original-url', 'x-rewrite-url']);

/** What else the request may be read as: the rules must allow that, too. Empty for nearly every request; null where there is no end of it. */
export function otherReadings({ headers }: Pick<ClientRequest, 'headers'>, own: Reading): Reading[] | null {
  const names = Object.keys(headers);
  const textsBy = (wanted: ReadonlySet<string>) => names.filter((name) => wanted.has(hyphenated(name))).flatMap((name) => headers[name] ?? []);
  const methods = new Set([own.method, ...textsBy(methodHeaders).flatMap(valuesOf).map((value) => value.toUpperCase())]);
  // A comma may belong to the path.
  const paths = new Set([own.path, ...textsBy(pathHeaders).flatMap((text) => [text.trim(), ...valuesOf(text)]).filter((text) => text !== '').map(pathOf)]);
  const count = methods.size * paths.size;
  if (count === 1) return [];
  if (count > MAX_READINGS) return null;
  return [...methods].flatMap((method) => [...paths].map((path) => ({ method, path })));
}

/** Each costs a decision: in 64 KiB of headers there is room for some 250 million. A request that means it has one header of either kind. */
const MAX_READINGS = 16;

/** Node joins repeated headers with a comma; which of them a server takes is its own affair. */
function valuesOf(text: string): string[] {
  return text.split(',').map((value) => value.trim()).filter((value) => value !== '');
}

/** Of a whole URL as of a path with a query. */
function pathOf(value: string): string {
  return value.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] || '/';
}
