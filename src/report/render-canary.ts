import type { Report } from './report.ts';
import { renderNumber } from './quantities.ts';

/** One sentence, or nothing where no canary was proven. */
export function renderCanary({ startup }: Report): string {
  return startup === undefined ? '' : `Start-up canary: held, ${renderNumber(Math.round(startup.canaryMs))} ms.`;
}
