import type { Needles } from './compile-needles.ts';
import { hitsIn, seenIn } from './outgoing-needles.ts';
import type { Seen } from './outgoing-needles.ts';

/**
 * A path or other short latin1 text for logs and reports: every placeholder and real value in it, in any form, is `[NAME]`.
 * Where one hides behind escapes that cannot be cut out alone, nothing but its `[NAME]` is left.
 */
export function redactPath(needles: Needles<Seen>, text: string): string {
  let redacted = '';
  let copied = 0;
  for (const { tag, start, end } of hitsIn(needles, text)) {
    redacted += `${text.slice(copied, start)}[${tag.secret.name}]`;
    copied = end;
  }
  redacted += text.slice(copied);
  const [hidden] = seenIn(needles, redacted);
  return hidden ? `[${hidden.secret.name}]` : redacted;
}
