import { renderNumber } from './quantities.ts';

/** What the cap on memory did, or nothing. */
export function killedNote(oomKills: number): string {
  if (oomKills === 0) return '';
  return `killed ${processes(oomKills)}`;
}

export function processes(count: number): string {
  return count === 1 ? 'a process' : `${renderNumber(count)} processes`;
}
