import { withoutQuotes } from './quoted-secrets.ts';
import { splitSecret } from './split-secret.ts';

/** Shorter lines, such as a bracket of a JSON key, would mask half of every later log. */
const LEAST_CHARACTERS = 4;

/**
 * What the runner must mask: the accepted values, and whatever else in the `secrets` input may be one, for a value that was refused
 * is no less secret. Of what stands in quotes, what is between them as well. Line by line, as the runner masks a log line by line.
 */
export function secretMasks(text: string, accepted: readonly { value: string }[]): string[] {
  const candidates = text.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => !line.startsWith('#')).flatMap((line) => {
    const rest = splitSecret(line)?.rest ?? null;
    // Which part of such a line was meant as the value is not known: all that may be.
    if (rest === null) return [line, ...line.split(/[=;]/).slice(1), line.slice(line.indexOf('=') + 1)].map((part) => part.trim());
    return rest.operator === '<<' ? [] : [line, rest.text.trim()];
  });
  const values = [...accepted.map(({ value }) => value), ...candidates];
  return [...new Set(values.flatMap((value) => [value, withoutQuotes(value) ?? value]))].filter((mask) => mask.length >= LEAST_CHARACTERS);
}
