/** The tables of a Markdown page, in order: for each, the heading above it, its columns and its rows. Cells are trimmed source text. */
export function parseMarkdownTables(markdown: string): { heading: string; columns: string[]; rows: string[][] }[] {
  const tables: { heading: string; columns: string[]; rows: string[][] }[] = [];
  let heading = '';
  let isInTable = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('#')) heading = line.replace(/^#+ /, '');
    const cells = line.startsWith('|') ? line.slice(1, line.lastIndexOf('|')).split('|').map((cell) => cell.trim()) : null;
    if (cells === null) isInTable = false;
    else if (!isInTable) isInTable = tables.push({ heading, columns: cells, rows: [] }) > 0;
    else if (!/^-+$/.test(cells[0]!)) tables.at(-1)!.rows.push(cells);
  }
  return tables;
}

/** The code spans of a cell. */
export function codeOf(cell: string): string[] {
  return [...cell.matchAll(/`([^`]*)`/g)].map(([, code]) => code!);
}
