/**
 * A value as every message of Decoy quotes it: between backticks, at most 200 characters. Control and invisible characters are
 * escaped, because a pasted carriage return or ANSI sequence could otherwise rewrite the line of the log it appears in, or start a
 * workflow command of its own.
 */
export function quote(text: string): string {
  const shown = text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text;
  return `\`${shown.replace(invisible, escape)}\``;
}

const longestQuote = 200;

// Cc: controls; Cf: bidirectional overrides, zero-width characters, soft hyphens; Zl and Zp: line and paragraph separators.
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function escape(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}
