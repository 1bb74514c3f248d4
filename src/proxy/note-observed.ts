import type { Verdict } from '../policy/policy.ts';
import type { Draft } from './audit.ts';

/** What would have refused it in enforce mode; the first such reason stays. */
export function noteObserved(draft: Draft, verdict: Extract<Verdict, { allowed: true }>): void {
  if (verdict.observed === undefined || draft.reason !== null) return;
  draft.rule = verdict.rule;
  draft.reason = verdict.observed.reason;
  draft.remedy = verdict.observed.remedy;
}
