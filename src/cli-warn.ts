import { printableSentence } from './report/printable.ts';

const MAX_LENGTH = 1000;

/** A line about what will not work out as it is meant. */
export function warningLine(text: string): string {
  return `decoy: warning: ${printableSentence(text, MAX_LENGTH)}`;
}

/** A line about what goes on. */
export function progressLine(text: string): string {
  return `decoy: ${printableSentence(text, MAX_LENGTH)}`;
}

/** A warning on standard error. */
export function warn(text: string): void {
  process.stderr.write(`${warningLine(text)}\n`);
}
