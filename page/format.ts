import { renderSeconds } from '../src/report/quantities.ts';

/** `12 ms`, `1.25 s`, `4 min 5 s` */
export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : renderSeconds(ms / 1000);
}

/** A moment of the run, seconds from the command's start: `3.250 s`, `4:05.2`. */
export function formatMoment(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(3)} s`;
  const tenths = Math.floor(seconds * 10);
  return `${Math.floor(tenths / 600)}:${String(Math.floor((tenths % 600) / 10)).padStart(2, '0')}.${tenths % 10}`;
}

/** The same for an axis, as short as `stepSeconds` allows. */
export function formatTick(seconds: number, stepSeconds: number): string {
  if (seconds < 60 && stepSeconds < 60) return `${Number(seconds.toFixed(stepSeconds < 0.1 ? 2 : 1))} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
