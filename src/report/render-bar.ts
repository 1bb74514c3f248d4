/** A bar of `width` characters; any use at all shows, and only a full one looks full. */
export function renderBar(share: number, width: number): string {
  const bounded = Math.min(Math.max(Number.isFinite(share) ? share : 0, 0), 1);
  const filled = bounded >= 1 ? width : Math.min(Math.ceil(bounded * width), width - 1);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
