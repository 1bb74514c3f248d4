import { normalisePath } from './normalise-path.ts';
import { quote } from './quote.ts';

export type ParsedPathPattern = { ok: true; value: string } | { ok: false; problem: string };

/**
 * Parses the path of an allow rule into the spelling that requests are compared in. What no request could match is refused here rather
 * than silently kept: the user meant something by it. The caller has seen to it that the text starts with `/` and has no query.
 */
export function parsePathPattern(text: string): ParsedPathPattern {
  const segments = text.split('/');
  if (segments.some((segment) => segment.includes('**') && segment !== '**')) {
    return { ok: false, problem: `the path ${quote(text)} has \`**\` next to other characters: write \`*\` within a segment, or \`**\` between slashes` };
  }
  const value = isWellFormed(text) ? normalisePath(encodeNonAscii(text)) : null;
  if (value !== null) return { ok: true, value };
  return { ok: false, problem: `the path ${quote(text)} can be read in two ways: write it without \`.\` and \`..\` segments, \`//\`, backslashes and escaped \`/\`, \`\\\`, \`%\` or control characters` };
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function encodeNonAscii(text: string): string {
  return text.replace(/\P{ASCII}+/gu, (characters) => encodeURIComponent(characters));
}
