/** How a value is written in a place so that the server reads exactly it. Latin1 text, one character a byte. */
export type Writing = 'raw' | 'query' | 'segment' | 'json';

/**
 * - raw: its UTF-8 bytes;
 * - query, also for form bodies: everything but RFC 3986's unreserved characters percent-encoded, so that a decoder of forms and one of
 *   URLs read the same;
 * - segment: as far as RFC 3986, section 3.3, demands in a path, and `;`, `+` and `%` as well, so that the value stays one segment;
 * - json: the shortest escapes of a JSON string.
 */
export function writeValue(value: string, writing: Writing): string {
  switch (writing) {
    case 'raw': return utf8(value);
    case 'query': return percent(value, /[\w\-.~]/);
    case 'segment': return percent(value, /[\w\-.~!$&'()*,=:@]/);
    case 'json': return utf8(JSON.stringify(value).slice(1, -1));
  }
}

function percent(value: string, kept: RegExp): string {
  return Array.from(utf8(value), (char) => (kept.test(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)).join('');
}

function utf8(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}
