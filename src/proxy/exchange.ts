import type { Destination } from '../policy/policy.ts';
import type { ResponseScrubber } from '../secrets/compile-secrets.ts';
import type { Audit, Draft } from './audit.ts';
import type { ClientAnswer, ClientRequest } from './client.ts';
import type { ProxyLimits } from './limits.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { ProxyOptions } from './options.ts';
import { noteRefusal, type Refusal } from './refusal.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Upstream } from './upstream.ts';

/** What every part of the proxy works with. */
export type ProxyContext = Pick<ProxyOptions, 'policy' | 'secrets' | 'authority'> & {
  upstream: Upstream; audit: Audit; limits: ProxyLimits; rate: RateLimit; memory: MemoryBudget;
};

/** One request and its answer. */
export type Exchange = {
  request: ClientRequest;
  answer: ClientAnswer;
  destination: Destination;
  draft: Draft;
  context: ProxyContext;
  /** replaces signatures that were made for this request by those it came with */
  signatures?: ResponseScrubber;
};

/** Refuses the request: with an answer, or, when part of another answer is under way, by cutting that one so that it shows. */
export function refuse({ answer, destination, draft }: Exchange, refusal: Refusal): void {
  noteRefusal(draft, refusal);
  if (answer.isStarted()) answer.cut();
  else if (!answer.stream.destroyed) answer.refuse(refusal, destination);
}
