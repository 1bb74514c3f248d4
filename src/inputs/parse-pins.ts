import { quote } from '../policy/quote.ts';
import { parsePlaces } from '../secrets/parse-place.ts';
import { DEFAULT_PINS, type Pins } from '../secrets/place.ts';

/** Parses the options of a secret, `in` and `max`; undefined where there is none. Problems name the secret. */
export function parsePins(name: string, options: readonly (readonly [string, string])[]): { pins: Pins | undefined; problems: string[] } {
  const problems: string[] = [];
  const take = (wanted: string): string | undefined => {
    const [first, ...others] = options.filter(([option]) => option === wanted);
    if (others.length > 0) problems.push(`secret \`${name}\`: \`;${wanted}=\` is given twice: write it once`);
    return first?.[1];
  };
  // Not quoted: it may be the beginning of a value.
  if (options.some(([option]) => option !== 'in' && option !== 'max')) {
    problems.push(`secret \`${name}\` has an option that is neither \`;in=\` nor \`;max=\`: write them as in \`${name}@host;in=header:x-token,path;max=2\``);
  }
  const [placesText, maxText] = [take('in'), take('max')];
  if (placesText === undefined && maxText === undefined) return { pins: undefined, problems };
  const parsed = placesText === undefined ? { ...DEFAULT_PINS, problems: [] } : placesText === '' ? noPlaces : parsePlaces(placesText);
  problems.push(...parsed.problems.map((problem) => `secret \`${name}\`: ${problem}`));
  const max = parseMax(maxText ?? '1');
  if (maxText === '') problems.push(`secret \`${name}\`: \`;max=\` has no number: write one, as in \`;max=2\`, or leave it out`);
  else if (max === null) problems.push(`secret \`${name}\`: max ${quote(maxText!)} is not a number of occurrences: write a whole number from 1 to ${MOST}, as in \`;max=2\``);
  return { pins: { places: parsed.places, max: max ?? 1 }, problems };
}

const MOST = 1000;

const noPlaces = { places: [], problems: ['`;in=` names no place: write one or more, as in `;in=header:x-token`, or leave it out'] };

function parseMax(text: string): number | null {
  const max = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return max >= 1 && max <= MOST ? max : null;
}
