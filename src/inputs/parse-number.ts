import { quote } from '../policy/quote.ts';

/** Parses a decimal number within its bounds, a whole one where asked for. `example` is one within them. */
export function parseNumber(
  text: string,
  { min, max, whole, example }: { min: number; max: number; whole: boolean; example: number },
): { ok: true; value: number } | { ok: false; problem: string } {
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : NaN;
  if (Number.isNaN(value) || (whole && !Number.isInteger(value))) return { ok: false, problem: `${quote(text)} is not a ${whole ? 'whole ' : ''}number: write one such as \`${example}\`` };
  if (value < min || value > max) return { ok: false, problem: `${quote(text)} is out of range: write a number from ${min} to ${max}` };
  return { ok: true, value };
}
