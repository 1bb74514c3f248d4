/** A string of a JSON text and the keys and indices that lead to it. */
export type JsonString = { path: readonly string[]; value: string };

/** Every string value in the order they stand, those of repeated keys too; null where JSON.parse, or a decoder of UTF-8, does not take the text. */
export function jsonStrings(body: Buffer): JsonString[] | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    JSON.parse(text);
    return stringsIn(JSON.parse(withDistinctKeys(text)), []);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

export function jsonDepth(body: Buffer): number {
  const tokens = body.toString('latin1').match(TOKEN) ?? [];
  let [depth, deepest] = [0, 0];
  for (const token of tokens) {
    if (token === '[' || token === '{') depth += 1;
    if (token === ']' || token === '}') depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

const TOKEN = /"(?:[^"\\]|\\[^])*"|[[\]{}]/g;

/** JSON.parse keeps only the last of equal keys, and sorts those that are numbers: each is given a number and a colon. */
function withDistinctKeys(text: string): string {
  let count = 0;
  return text.replaceAll(/("(?:[^"\\]|\\[^])*")([ \t\r\n]*:)?/g, (_, string: string, colon: string | undefined) =>
    (colon === undefined ? string : `${JSON.stringify(`${count++}:${JSON.parse(string) as string}`)}:`));
}

function stringsIn(value: unknown, path: readonly string[]): JsonString[] {
  if (typeof value === 'string') return [{ path, value }];
  if (value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => stringsIn(item, [...path, String(index)]));
  return Object.entries(value).flatMap(([key, item]) => stringsIn(item, [...path, key.slice(key.indexOf(':') + 1)]));
}
