/** How many columns a terminal gives a character: 0, 1 or 2. Near enough to Unicode's UAX 11 for text; terminals themselves differ where it is not. */
export function columnsOf(character: string): 0 | 1 | 2 {
  if (character >= ' ' && character <= '~') return 1;
  if (/^[\p{M}\p{Cf}\u200b-\u200f]/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

const WIDE = /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\p{Emoji_Presentation}\u{20000}-\u{3fffd}]/u;
