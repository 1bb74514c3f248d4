/** Makes text that is not a workflow command of text that would be one. */
export type Disarmer = { push(bytes: Buffer): Buffer };

/** U+200B, zero width space: it is seen by no reader, and takes a command's beginning apart. */
const BREAK = Buffer.from('\u200b');
const COLON = 0x3a;
const HASH = 0x23;
const BRACKET = 0x5b;

/**
 * A stream in which no line begins with `::` and none holds `##[`, the two beginnings the runner takes for commands, even if they
 * come in pieces. Everything else passes as it is, and nothing is held back. With `brackets` only `##[` is taken apart.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function createDisarmer({ only }: { only?: 'brackets' } = {}): Disarmer {
  const colons = only === undefined;
  // The runner trims a line before it looks: only what could be white space has been seen of this one.
  let blank = true;
  let previous = 0;
  let beforePrevious = 0;
  return {
    push(bytes) {
      const pieces: Buffer[] = [];
      let copied = 0;
      for (let at = 0; at < bytes.length; at++) {
        const byte = bytes[at] as number;
        const begins = (colons && byte === COLON && previous === COLON && blank) || (byte === BRACKET && previous === HASH && beforePrevious === HASH);
        if (begins) {
          pieces.push(bytes.subarray(copied, at), BREAK);
          copied = at;
        }
        if (byte === 10 || byte === 13) blank = true;
        else if (byte > 0x20 && byte < 0x7f && byte !== COLON) blank = false;
        beforePrevious = previous;
        previous = byte;
      }
      return pieces.length === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(copied)]);
    },
  };
}
