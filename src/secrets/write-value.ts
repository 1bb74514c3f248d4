/**
 * How a value is written in a place so that the server reads exactly it. Each is among the forms of encodings.ts: what a server echoes
 * as it came is then scrubbed.
 */
export type Writing = 'raw' | 'query' | 'segment' | 'json';

/**
 * Latin1 text, one character a byte.
 *
 * - raw: its UTF-8 bytes;
 * - query, also for form bodies: everything but RFC 3986's unreserved characters percent-encoded, so that a decoder of forms and one of
 *   URLs read the same;
 * - segment: the same but for the colon, which services that take a token in the path compare as it is;
 * - json: the shortest escapes of a JSON string.
 */
export function writeValue(value: string, writing: Writing): string {
  switch (writing) {
    case 'raw': return utf8(value);
    case 'query': return percent(value, /[\w\-.~]/);
    case 'segment': return percent(value, /[\w\-.~:]/);
    case 'json': return utf8(JSON.stringify(value).slice(1, -1));
  }
}

function percent(value: string, kept: RegExp): string {
  return Array.from(utf8(value), (char) => (kept.test(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)).join('');
}

function utf8(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}
