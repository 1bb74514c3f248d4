import { quote } from '../policy/quote.ts';

/**
 * Parses an amount of memory or storage into bytes. Units are binary whatever their spelling, as everywhere in Docker: `g`, `gb` and `gib`
 * are 2^30 bytes. A number without a unit is bytes, as Docker's `--memory` has it; `4` is then far below any minimum, and the problem says
 * what was probably meant. Fractions are rounded down to whole bytes.
 */
export function parseSize(
  text: string,
  { minBytes, maxBytes }: { minBytes: number; maxBytes: number },
): { ok: true; value: number } | { ok: false; problem: string } {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)\s*(?:(b)|([kmgt])(?:i?b)?)?$/i.exec(text.trim());
  if (match === null) return { ok: false, problem: `${quote(text)} is not a size: write a number and a unit, such as ${examplesFor({ minBytes, maxBytes })}` };
  const unit = match[3]?.toLowerCase() ?? '';
  if (unit === '' && match[1]!.includes('.')) return { ok: false, problem: `${quote(text)} is a part of a byte: write a unit after it, such as \`${match[1]}g\`` };
  const bytes = Math.floor(Number(match[1]) * bytesPerUnit[unit as keyof typeof bytesPerUnit]);
  if (bytes < minBytes && unit === '' && match[2] === undefined) {
    const meant = (['g', 'm', 'k'] as const).map((letter) => ({ letter, bytes: bytes * bytesPerUnit[letter] })).filter((size) => size.bytes >= minBytes && size.bytes <= maxBytes);
    if (meant.length > 0) return { ok: false, problem: `${quote(text)} is so many bytes, less than the least of ${renderSize(minBytes)}: write a unit after it, such as ${meant.map(({ letter }) => `\`${match[1]}${letter}\``).join(' or ')}` };
  }
  if (bytes < minBytes) return { ok: false, problem: `${quote(text)} is less than the least of ${renderSize(minBytes)}: write \`${renderSize(minBytes)}\` or more` };
  if (bytes > maxBytes) return { ok: false, problem: `${quote(text)} is more than the most of ${renderSize(maxBytes)}: write \`${renderSize(maxBytes)}\` or less` };
  return { ok: true, value: bytes };
}

const bytesPerUnit = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

function examplesFor({ minBytes, maxBytes }: { minBytes: number; maxBytes: number }): string {
  return [64 * 2 ** 10, 512 * 2 ** 20, 4 * 2 ** 30].filter((bytes) => bytes >= minBytes && bytes <= maxBytes).map((bytes) => `\`${renderSize(bytes)}\``).join(' or ');
}

/** The shortest form that `parseSize` reads back to the same number. */
function renderSize(bytes: number): string {
  const unit = (['t', 'g', 'm', 'k'] as const).find((letter) => bytes > 0 && bytes % bytesPerUnit[letter] === 0) ?? '';
  return `${bytes / bytesPerUnit[unit]}${unit}`;
}
