import { quote } from '../../policy/quote.ts';

const SHOWN = 6;

/** A clause with the first lines that differ, or null where none does. */
export function describeDifference(trusted: string, other: string): string | null {
  if (trusted === other) return null;
  const [before, after] = [trusted.split('\n'), other.split('\n')] as [string[], string[]];
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const changes = [
    ...before.slice(start, before.length - end).map((line) => `- ${quote(line.trim())}`),
    ...after.slice(start, after.length - end).map((line) => `+ ${quote(line.trim())}`),
  ];
  const more = changes.length - SHOWN;
  return `from line ${start + 1} on: ${changes.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} lines more` : ''}`;
}
