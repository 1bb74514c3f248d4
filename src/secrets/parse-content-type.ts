/** How a body is read. `unreadable` ends a sentence that begins with "the body". */
export type BodyKind = { kind: 'json' } | { kind: 'form' } | { kind: 'multipart'; boundary: string } | { kind: 'other' } | { kind: 'unreadable'; why: string };

/** RFC 9110, section 8.3.1. Anything that is not certain is `other`, where no field is looked for. */
export function parseContentType(contentType: string | null): BodyKind {
  const match = /^\s*([\w!#$&^.+-]+)\/([\w!#$&^.+-]+)\s*((?:;[^]*)?)$/.exec(contentType ?? '');
  if (match === null) return { kind: 'other' };
  const [type, subtype] = [match[1]!.toLowerCase(), match[2]!.toLowerCase()];
  const kind = kindOf(type, subtype);
  if (kind === 'other') return { kind };
  const parameters = parseParameters(match[3]!, { isStrict: kind === 'multipart' });
  if (parameters === null) return { kind: 'unreadable', why: 'has a Content-Type with parameters that can be read in two ways' };
  // Another parameter, or one in pieces (RFC 2231), can be a boundary to a server that looks for the word.
  if (kind === 'multipart' && [...parameters.keys()].some((name) => name !== 'boundary' && name !== 'charset')) {
    return { kind: 'unreadable', why: 'has a Content-Type with other parameters than boundary and charset' };
  }
  // As does one within another's value.
  if (kind === 'multipart' && [...parameters.values()].some((value) => /boundary\s*=/i.test(value))) return { kind: 'unreadable', why: 'has a Content-Type with a boundary within another parameter' };
  if (kind === 'multipart') return parseBoundary(parameters.get('boundary'));
  const charset = parameters.get('charset')?.toLowerCase() ?? 'utf-8';
  return charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii' ? { kind } : { kind: 'unreadable', why: 'is in another character set than UTF-8' };
}

function kindOf(type: string, subtype: string): 'json' | 'form' | 'multipart' | 'other' {
  // `grpc+json` and `connect+json` are rows of messages, of which only each is JSON.
  if (type === 'application' && /^(?:grpc|grpc-web|grpc-web-text|connect)\+/.test(subtype)) return 'other';
  if (subtype.endsWith('+json') || (subtype === 'json' && (type === 'application' || type === 'text'))) return 'json';
  if (type === 'application' && subtype === 'x-www-form-urlencoded') return 'form';
  return type === 'multipart' && subtype === 'form-data' ? 'multipart' : 'other';
}

/**
 * `;name=value` and `;name="value"`, names in lower case; null where one is given twice or the rest is not of this form. `isStrict`: a value without quotes
 * is a token (RFC 9110, section 5.6.6), as readers take it to its end or to the first character that may be in none.
 */
export function parseParameters(text: string, { isStrict }: { isStrict: boolean }): Map<string, string> | null {
  const parameters = new Map<string, string>();
  const parameter = new RegExp(isStrict ? STRICT : LENIENT, 'gy');
  let read = 0;
  for (let match = parameter.exec(text); match !== null; match = parameter.exec(text)) {
    read = parameter.lastIndex;
    if (match[1] === undefined) continue;
    const name = match[1].toLowerCase();
    if (parameters.has(name)) return null;
    parameters.set(name, match[2] ?? match[3]!.replaceAll(/\\(.)/g, '$1'));
  }
  return /^[ \t]*$/.test(text.slice(read)) ? parameters : null;
}

const STRICT = /[ \t]*;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\["\\])*)"))?/;
const LENIENT = /\s*;\s*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~:/?,()<>@=-]+)|"((?:[^"\\]|\\["\\])*)"))?/;

/** RFC 2046, section 5.1.1, but for the comma, at which PHP and Rack end it. */
function parseBoundary(boundary: string | undefined): BodyKind {
  if (boundary !== undefined && /^[\w'()+\-./:=? ]{0,69}[\w'()+\-./:=?]$/.test(boundary)) return { kind: 'multipart', boundary };
  return { kind: 'unreadable', why: 'has no boundary that RFC 2046 allows' };
}
