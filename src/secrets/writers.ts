/** Puts hexadecimal digits in one case. */
export type Cased = (digits: string) => string;

export function utf8(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

export function utf16(value: string, order: 'little' | 'big'): string {
  const bytes = Buffer.from(value, 'utf16le');
  return (order === 'little' ? bytes : bytes.swap16()).toString('latin1');
}

export function hex(value: string, cased: Cased): string {
  return cased(Buffer.from(value, 'utf8').toString('hex'));
}

/** `kept` are the characters that stay; with a space among them it becomes a plus sign. */
export function percent(value: string, kept: RegExp, cased: Cased): string {
  return Array.from(utf8(value), (char) => {
    if (char === ' ' && kept.test(char)) return '+';
    return kept.test(char) ? char : `%${cased(hexDigits(char, 2))}`;
  }).join('');
}

/** `escaped` are the characters written as `\u`, besides those JSON demands; `slash` whether `/` is `\/`. */
export function json(value: string, { escaped, slash }: { escaped: RegExp; slash: boolean }, cased: Cased): string {
  const text = Array.from(value, (char) => {
    if (escaped.test(char)) return char.split('').map((unit) => `\\u${cased(hexDigits(unit, 4))}`).join('');
    if (char === '/') return slash ? '\\/' : char;
    return char > '\\' || /[\w ]/.test(char) ? char : JSON.stringify(char).slice(1, -1);
  });
  return utf8(text.join(''));
}

/** `entityOf` tells how a character is written; where it gives null, `&`, `<` and `>` are named and the rest stays. */
export function html(value: string, entityOf: (char: string, code: number) => string | null): string {
  return utf8(Array.from(value, (char) => entityOf(char, char.codePointAt(0)!) ?? NAMED_ENTITIES[char] ?? char).join(''));
}

const NAMED_ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function hexDigits(unit: string, digits: number): string {
  return unit.charCodeAt(0).toString(16).padStart(digits, '0');
}
