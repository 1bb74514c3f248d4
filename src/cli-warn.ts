import { printableSentence } from './report/printable.ts';

const MAX_LENGTH = 1000;

/** A line on standard error about what will not work out as it is meant. */
export function warn(text: string): void {
  process.stderr.write(`decoy: warning: ${printableSentence(text, MAX_LENGTH)}\n`);
}

/** A line on standard error about what goes on. */
export function tell(text: string | null): void {
  if (text === null) return;
  process.stderr.write(`decoy: ${printableSentence(text, MAX_LENGTH)}\n`);
}
