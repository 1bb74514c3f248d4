/** Makes text a terminal can be given of bytes a sandbox chose. */
export type SafeText = { push(bytes: Uint8Array): string };

/** A longer sequence is none that anybody means. */
const MAX_PARAMETERS = 64;

const ESC = '\x1b';
const KEPT = new Set(['\n', '\r', '\t', '\b']);
/** DCS, SOS, OSC, PM, APC: what follows is a string (ECMA-48 5.6). */
const STRINGS = new Set(['P', 'X', ']', '^', '_']);

/**
 * Of a terminal's controls only these are left: line feed, carriage return, tab, backspace, colours and the like (SGR), and erasing in the line (EL). They
 * change the line that is being written and nothing else. All others are dropped, whole: those that move to other lines, clear or resize the screen, change modes, character sets, colours of the
 * palette, the title or the clipboard, and those a terminal answers, as if the user had typed the answer. C1 controls are, too: some terminals obey them in UTF-8.
 * What is no UTF-8 becomes U+FFFD. Nothing that could be the beginning of a sequence is passed on before its end is known.
 *
 * ECMA-48, 5th edition; xterm's ctlseqs (invisible-island.net/xterm/ctlseqs/ctlseqs.html).
 */
export function createSafeText(): SafeText {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let state: 'text' | 'escape' | 'intermediate' | 'parameters' | 'string' = 'text';
  let parameters = '';

  /** What this character lets out. */
  const step = (character: string): string => {
    const code = character.codePointAt(0) as number;
    // A new line ends whatever was begun: binary rubbish hides no more than its own line.
    if (character === '\n' || (code < 0x20 && KEPT.has(character) && state !== 'string')) {
      state = 'text';
      return character;
    }
    if (character === ESC) {
      state = 'escape';
      return '';
    }
    if (code < 0x20 || code === 0x7f) {
      if (state !== 'string' || code === 0x07) state = 'text';
      return '';
    }
    if (code >= 0x80 && code < 0xa0) {
      state = { 0x9b: 'parameters', 0x90: 'string', 0x98: 'string', 0x9d: 'string', 0x9e: 'string', 0x9f: 'string' }[code] as typeof state | undefined ?? 'text';
      parameters = '';
      return '';
    }
    switch (state) {
      case 'text': return character;
      case 'string': return '';
      case 'escape':
        parameters = '';
        state = character === '[' ? 'parameters' : STRINGS.has(character) ? 'string' : code < 0x30 ? 'intermediate' : 'text';
        return '';
      case 'intermediate':
        if (code >= 0x30) state = 'text';
        return '';
      case 'parameters': {
        if (code < 0x40) {
          if (parameters.length < MAX_PARAMETERS) parameters += character;
          return '';
        }
        state = 'text';
        return isHarmless(parameters, character) ? `${ESC}[${parameters}${character}` : '';
      }
    }
  };
  return {
    push: (bytes) => {
      const text = decoder.decode(bytes, { stream: true });
      // Almost all there is: whole lines of plain text.
      if (state === 'text' && !UNSAFE.test(text)) return text;
      let out = '';
      for (const character of text) out += step(character);
      return out;
    },
  };
}

const UNSAFE = /[^\n\r\t\b\x20-\x7e\xa0-\u{10ffff}]/u;

function isHarmless(parameters: string, final: string): boolean {
  if (parameters.length === MAX_PARAMETERS) return false;
  return final === 'm' ? /^[\d;:]*$/.test(parameters) : final === 'K' && /^[012]?$/.test(parameters);
}
