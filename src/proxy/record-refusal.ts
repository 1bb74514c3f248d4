import { draftEntry, type Audit, type Draft } from './audit.ts';
import { noteRefusal, type NotedRefusal } from './refusal.ts';

/** `method`: null where none was read */
export type RefusedAt = Pick<Draft, 'protocol' | 'host' | 'port' | 'method'> & { audit: Audit };

/** An entry of its own for what was refused without an exchange. */
export function recordRefusal(refusal: NotedRefusal, { audit, method, ...at }: RefusedAt): void {
  const draft = draftEntry(at);
  draft.method = method;
  noteRefusal(draft, refusal);
  audit.record(draft);
}
