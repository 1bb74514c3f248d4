import { quote } from '../policy/quote.ts';

/** Parses one of a few words; the problem names them all. */
export function parseChoice<const T extends string>(text: string, choices: readonly T[]): { ok: true; value: T } | { ok: false; problem: string } {
  const value = choices.find((choice) => choice === text.trim());
  if (value !== undefined) return { ok: true, value };
  return { ok: false, problem: `${quote(text)} is not one of ${choices.map((choice) => `\`${choice}\``).join(', ')}: write one of these` };
}
