/**
 * A header value, path or query with its escapes taken off, once and again: whatever mixture of `%xx`, `\uxxxx` and `\/` a client
 * chose, the text it stands for is among these. Only short texts are worth this; bodies are searched for the
 * listed forms alone. Nothing for a text without escapes, so ordinary headers cost two searches for a character.
 */
export function unescapings(text: string): string[] {
  const found: string[] = [];
  let current = text;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const next = unescapeOnce(current);
    if (next === current) break;
    found.push(next);
    current = next;
  }
  return found;
}

/** A server undoes one escape, a proxy or a template before it perhaps another; more is a puzzle, not an encoding. */
const MAX_ROUNDS = 3;

function unescapeOnce(text: string): string {
  let plain = text;
  if (plain.includes('%')) plain = plain.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (plain.includes('\\')) {
    plain = plain.replaceAll(/(?:\\u[0-9a-f]{4})+/gi, (run) => {
      const units = run.split('\\u').slice(1).map((hex) => Number.parseInt(hex, 16));
      return Buffer.from(String.fromCharCode(...units), 'utf8').toString('latin1');
    });
    plain = plain.replaceAll(/\\(["\\/])/g, '$1');
  }
  return plain;
}
