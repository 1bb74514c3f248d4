import { printableSentence } from './printable.ts';

/**
 * A code span for a cell of a GitHub Markdown table. Inside a span nothing but its closing backtick means anything, and in a table
 * the pipe, which splits cells before spans are looked for; a backslash before a pipe is read differently by different
 * versions of the table extension. So these three are not left in: GitHub Flavored Markdown 4.10 and 6.3.
 */
export function markdownCode(text: string, maxLength: number): string {
  const inert = printableSentence(text, maxLength).replaceAll('`', "'").replaceAll('|', '%7C').replaceAll('\\', '%5C').trim();
  return inert === '' ? '–' : `\`${inert}\``;
}
