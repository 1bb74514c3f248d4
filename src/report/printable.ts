/**
 * Text from the sandbox (hosts, paths, methods) made safe to print: one line of plain ASCII, at most `maxLength` characters.
 * Everything else becomes `�`: escape sequences that rewrite a terminal, bidirectional marks that reorder a line
 * (CVE-2021-42574), look-alike letters, line breaks. `##[` is broken up: GitHub's runner obeys it anywhere in a line of a log.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function printable(text: string, maxLength: number): string {
  return bounded(text, maxLength, /[^\x20-\x7e…]/gu);
}

/** The same for Decoy's own sentences, which may quote a user's file name: letters of any script stay. */
export function printableSentence(text: string, maxLength: number): string {
  return bounded(text, maxLength, /\p{C}|(?! )\p{Z}/gu);
}

/** Cuts before it replaces, so that a text of any length costs no more than a short one. */
function bounded(text: string, maxLength: number, unsafe: RegExp): string {
  const replaced = text.slice(0, maxLength + 1).replace(unsafe, '\ufffd').replaceAll('##[', '#_[');
  return replaced.length <= maxLength ? replaced : `${replaced.slice(0, maxLength - 1)}…`;
}
