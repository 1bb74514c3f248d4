import { hyphenated } from '../secrets/hyphenated.ts';
import { withoutHeaders, type RawHeaders } from './headers.ts';

/**
 * Whether a header, its name in lower case, is one that says where a body ends or how it is coded, but for an underscore. Servers that write names
 * in upper case with underscores (CGI and its heirs) take it for the real one, and read another body than was searched.
 */
export function isAboutBodyButUnderscored(name: string): boolean {
  return name.includes('_') && aboutBody.has(hyphenated(name));
}

/** Leaves out what such a server takes for a header that is written anew, left out or decides how the body is read at a bound host. */
export function withoutUnderscored(rawHeaders: RawHeaders): string[] {
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  return withoutHeaders(rawHeaders, new Set(names.filter((name) => name.includes('_') && readHere.has(hyphenated(name)))));
}

const readHere: ReadonlySet<string> = new Set(['content-type', 'accept-encoding', 'if-range', 'a-im', 'grpc-accept-encoding', 'connect-accept-encoding']);
const aboutBody: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'content-encoding', 'grpc-encoding', 'connect-content-encoding']);
