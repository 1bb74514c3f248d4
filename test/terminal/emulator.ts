import xterm from '@xterm/headless';

/** A terminal as a person sees it. */
export type Emulator = {
  write(text: string | Uint8Array): Promise<void>;
  resize(columns: number, rows: number): void;
  /** the lines on the screen, without those that are empty at its end */
  screen(): string[];
  /** everything, what has scrolled away included, as it stands in rows */
  all(): string[];
  cursor(): { column: number; row: number };
  /** whether text written now would have a colour or the like */
  coloured(): Promise<boolean>;
  /** what the terminal answered, as if it had been typed */
  answered(): string;
  title(): string | null;
};

export function openEmulator({ columns = 80, rows = 24, convertEol = true }: { columns?: number; rows?: number; convertEol?: boolean } = {}): Emulator {
  const terminal = new xterm.Terminal({ cols: columns, rows, convertEol, allowProposedApi: true, scrollback: 5000 });
  let answered = '';
  let title: string | null = null;
  terminal.onData((text) => { answered += text; });
  terminal.onTitleChange((text) => { title = text; });
  const line = (y: number) => terminal.buffer.active.getLine(y);
  return {
    write: (text) => new Promise((resolve) => terminal.write(text, resolve)),
    resize: (newColumns, newRows) => terminal.resize(newColumns, newRows),
    screen: () => withoutEmptyEnd(Array.from({ length: terminal.rows }, (_, y) => line(terminal.buffer.active.baseY + y)?.translateToString(true) ?? '')),
    all: () => withoutEmptyEnd(Array.from({ length: terminal.buffer.active.length }, (_, y) => line(y)?.translateToString(true) ?? '')),
    cursor: () => ({ column: terminal.buffer.active.cursorX, row: terminal.buffer.active.cursorY + terminal.buffer.active.baseY }),
    coloured: async () => {
      const { cursorX: x, cursorY: y, baseY } = terminal.buffer.active;
      await new Promise<void>((resolve) => terminal.write('x\b', resolve));
      const cell = line(baseY + y)?.getCell(x);
      return cell?.isAttributeDefault() === false;
    },
    answered: () => answered,
    title: () => title,
  };
}

function withoutEmptyEnd(lines: string[]): string[] {
  return lines.slice(0, lines.findLastIndex((text) => text.trim() !== '') + 1);
}
