import { columnsOf } from './columns-of.ts';

/** A terminal whose last line is Decoy's, while lines are written above it. Everything is written at once: what is on the screen is what was asked for last. */
export type Screen = {
  /** Text by way of `createSafeText`. */
  print(text: string): void;
  /** A line of Decoy's own, which begins at the left. */
  line(text: string): void;
  /** Redraws the status with what it was given to draw. */
  status(render: ((columns: number) => string) | null): void;
  /** Draws the status anew, for the terminal has another size. */
  resized(): void;
  /** Takes the status away, and leaves colours as they were and the cursor in an empty line. Safe to call twice. */
  close(): void;
};

export type ScreenOptions = { write(text: string): void; columns(): number };

const ESC = '\x1b';
/** DECSC and DECRC: the cursor's place and the colours, which are the command's. */
const SAVE = `${ESC}7`;
const RESTORE = `${ESC}8`;
const RESET = `${ESC}[0m`;
const ERASE_BELOW = `${ESC}[J`;
const UP = `${ESC}[A`;
const DOWN = `${ESC}[B`;
/** IND: one line down in the same column, and the screen with it where there is none. */
const INDEX = `${ESC}D`;
const MIN_COLUMNS = 20;

/**
 * The status stands in the line the cursor is in where nothing was written there yet, else in the one below. The cursor goes back to where the command's output goes on,
 * which therefore looks as it would without a status. It never moves but down by a line and back, so it needs to know no position on the screen, only whether the line is empty or full to its last column.
 */
export function openScreen({ write, columns }: ScreenOptions): Screen {
  let shown = '';
  let render: ((columns: number) => string) | null = null;
  /** of the cursor, in its line on the screen */
  let column = 0;
  let empty = true;
  /** the line before was full, and this one was begun for the status alone */
  let wrapped = false;
  let coloured = false;

  /**
   * A terminal that has filled a line waits with its wrap for the next character, and loses that state when the cursor moves: it gets its new line now. By a line
   * break, which leads to a new line also where a terminal counts a character's columns in another way than `columnsOf`.
   */
  const wrapIfFull = (): string => {
    if (column < columns()) return '';
    column = 0;
    empty = true;
    wrapped = true;
    return '\n';
  };
  const draw = (): string => {
    const width = columns();
    const text = render === null || width < MIN_COLUMNS ? '' : render(width - 1);
    if (text === '') return '';
    const wrap = wrapIfFull();
    shown = empty ? 'here' : 'below';
    return empty ? `${wrap}${SAVE}\r${RESET}${text}${RESET}${ERASE_BELOW}${RESTORE}` : `${INDEX}${UP}${SAVE}${DOWN}\r${RESET}${text}${RESET}${ERASE_BELOW}${RESTORE}`;
  };
  const erase = (): string => {
    if (shown === '') return '';
    const below = shown === 'below' ? DOWN : '';
    shown = '';
    return `${SAVE}${RESET}${below}\r${ERASE_BELOW}${RESTORE}`;
  };
  const follow = (text: string): string => {
    const width = columns();
    for (const [token] of text.matchAll(TOKENS)) {
      if (token === '\n') [column, empty] = [0, true];
      else if (token === '\r') column = 0;
      else if (token === '\b') column = Math.max(0, Math.min(column, width - 1) - 1);
      else if (token === '\t') [column, empty] = [Math.min(width - 1, (Math.floor(column / 8) + 1) * 8), false];
      else if (token.startsWith(ESC)) coloured ||= token.endsWith('m');
      else {
        const needed = columnsOf(token);
        if (column + needed > width) column = 0;
        column += needed;
        empty = false;
      }
    }
    return text;
  };
  /** What is printed after a full line looks as if that had not been left: its line break has been made already, and a tab does not leave it. */
  const afterWrap = (text: string): string => {
    const [, begin = '', rest = ''] = /^((?:\x1b\[[\d;:]*m|\t)*)([^]*)$/.exec(text) ?? [];
    const before = begin.replaceAll('\t', '');
    wrapped = rest === '';
    if (/^[\r\b](?!\n)/.test(rest)) {
      [column, empty] = [columns() - 1, false];
      return `${before}${UP}${ESC}[${columns()}G${follow(rest)}`;
    }
    return before + follow(rest.replace(/^\r?\n/, ''));
  };
  const put = (text: string): string => (wrapped ? afterWrap(text) : follow(text));
  return {
    print: (text) => {
      if (text !== '') write(erase() + put(text) + draw());
    },
    line: (text) => {
      const out = erase() + (coloured ? RESET : '') + put(`${empty && column === 0 ? '' : '\n'}${text}\n`);
      coloured = false;
      write(out + draw());
    },
    status: (next) => {
      render = next;
      const out = next === null ? erase() : draw();
      if (out !== '') write(out);
    },
    resized: () => {
      column = Math.min(column, columns() - 1);
      const out = draw();
      if (out !== '') write(out);
    },
    close: () => {
      render = null;
      const out = erase() + (coloured ? RESET : '') + (empty ? '' : '\n');
      coloured = false;
      [column, empty] = [0, true];
      if (out !== '') write(out);
    },
  };
}

const TOKENS = /\x1b\[[\d;:]*[mK]|[^]/gu;
