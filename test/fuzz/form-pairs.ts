/**
 * What URLSearchParams reads in a form, without the names that no equals sign follows: these have no value that could be asked for.
 * Bytes beyond ASCII are written as the escapes they are equal to, as it reads a text.
 */
export function formPairs(body: Buffer): [name: string, value: string][] {
  const text = Array.from(body, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16)}`)).join('');
  const withValues = text.split('&').filter((pair) => pair.includes('='));
  // A question mark at the very beginning would be left out.
  return [...new URLSearchParams(`&${withValues.join('&')}`)];
}
