import type { RefusalReason } from '../policy/policy.ts';

/** Why no connection could be had; `remedy` is one sentence. */
export class DialError extends Error {
  readonly reason: RefusalReason;
  readonly remedy: string;
  constructor(reason: RefusalReason, remedy: string) {
    super(remedy);
    this.reason = reason;
    this.remedy = remedy;
  }
}
