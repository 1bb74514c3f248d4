import { printableSentence } from './printable.ts';

/**
 * A code span for a cell of a GitHub Markdown table. Inside a span nothing means anything but a run of as many backticks as opened it: it is
 * opened by one more than there are in a row within it, so that what is copied from it is exact (CommonMark 6.1). In a table
 * the pipe splits cells before spans are looked for; a backslash before a pipe is read differently by different
 * versions of the table extension. So these two are not left in: GitHub Flavored Markdown 4.10.
 */
export function markdownCode(text: string, maxLength: number): string {
  const inert = printableSentence(text, maxLength).replaceAll('|', '%7C').replaceAll('\\', '%5C').trim();
  if (inert === '') return '–';
  const fence = '`'.repeat(1 + Math.max(0, ...[...inert.matchAll(/`+/g)].map(([run]) => run.length)));
  // One space at both ends is no part of the span.
  const space = inert.startsWith('`') || inert.endsWith('`') ? ' ' : '';
  return `${fence}${space}${inert}${space}${fence}`;
}
