import { quote } from '../policy/quote.ts';

/**
 * Parses a duration into seconds: `90s`, `30m`, `1h`, `1m30s`, `1.5m`. A number without a unit is refused: GitHub's `timeout-minutes`
 * would read `30` as minutes and the `timeout` command as seconds, and a limit must not be sixty times what was meant.
 */
export function parseDuration(
  text: string,
  { minSeconds, maxSeconds }: { minSeconds: number; maxSeconds: number },
): { ok: true; value: number } | { ok: false; problem: string } {
  const bare = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(bare)) return { ok: false, problem: `${quote(text)} has no unit: write ${unitRemedy(bare, { minSeconds, maxSeconds })}` };
  const match = /^(?:(\d{1,9}(?:\.\d{1,9})?)h)?(?:(\d{1,9}(?:\.\d{1,9})?)m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?$/.exec(bare);
  if (match === null || bare === '') return { ok: false, problem: `${quote(text)} is not a duration: write hours, minutes and seconds, such as \`30m\`, \`90s\` or \`1m30s\`` };
  const [hours, minutes, seconds] = [match[1], match[2], match[3]].map((part) => Number(part ?? 0)) as [number, number, number];
  const total = hours * 3600 + minutes * 60 + seconds;
  if (total < minSeconds) return { ok: false, problem: `${quote(text)} is shorter than the least of ${renderDuration(minSeconds)}: write \`${renderDuration(minSeconds)}\` or more` };
  if (total > maxSeconds) return { ok: false, problem: `${quote(text)} is longer than the most of ${renderDuration(maxSeconds)}: write \`${renderDuration(maxSeconds)}\` or less` };
  return { ok: true, value: total };
}

/** Only what is then within the bounds is proposed. */
function unitRemedy(number: string, { minSeconds, maxSeconds }: { minSeconds: number; maxSeconds: number }): string {
  const units = [['m', 60, 'minutes'], ['s', 1, 'seconds']] as const;
  const fitting = units.filter(([, seconds]) => Number(number) * seconds >= minSeconds && Number(number) * seconds <= maxSeconds);
  if (fitting.length === 0) return `a duration from \`${renderDuration(minSeconds)}\` to \`${renderDuration(maxSeconds)}\``;
  return fitting.map(([unit, , name]) => `${quote(`${number}${unit}`)} for ${name}`).join(' or ');
}

function renderDuration(seconds: number): string {
  if (seconds % 60 !== 0 || seconds === 0) return `${seconds}s`;
  return `${seconds / 60}m`;
}
