import { renderNumber } from './quantities.ts';

/** What the cap on memory did, or nothing. */
export function killedNote(oomKills: number): string {
  if (oomKills === 0) return '';
  return `killed ${oomKills === 1 ? 'a process' : `${renderNumber(oomKills)} processes`}`;
}
