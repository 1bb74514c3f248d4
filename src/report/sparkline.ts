/** A row of block characters, one a value, the highest `max`; any value above 0 shows. */
export function renderSparkline(values: readonly number[], max: number): string {
  return values.map((value) => BLOCKS[value <= 0 || max <= 0 ? 0 : Math.min(Math.max(Math.ceil((value / max) * 8), 1), 8)]).join('');
}

const BLOCKS = ['░', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
