import type { Report } from './report.ts';
import { renderCount } from './quantities.ts';
import { renderAllowBlock } from './render-allow-block.ts';
import { suggestAllow } from './suggest-allow.ts';

/** A summary is read by people, and a longer list is in the output `proposed-allow` and by `decoy suggest report.json`. */
const MAX_LINES = 200;

export type ObserveNotes = { heading: string; warning: string; proposal: string[] };

/** What a report of a run in observe mode has to say before all else, and the list it proposes; null for any other. */
export function observeNotes({ mode, requests = [], observed = [] }: Report): ObserveNotes | null {
  if (mode !== 'observe') return null;
  const count = observed.reduce((sum, group) => sum + group.count, 0);
  const rules = suggestAllow(requests);
  return {
    heading: 'OBSERVE MODE, ALLOW LIST NOT ENFORCED',
    warning: `The allow list was not enforced: ${renderCount(count, 'request')} it does not cover ${count === 1 ? 'was' : 'were'} let through. Do not leave mode: observe on; set allow to what is meant of the proposal, and remove mode.`,
    proposal: rules.length > MAX_LINES ? [...renderAllowBlock(rules.slice(0, MAX_LINES)), `# and ${rules.length - MAX_LINES} more: decoy suggest report.json`] : renderAllowBlock(rules),
  };
}
