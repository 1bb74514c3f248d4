import type { Needles } from './compile-needles.ts';
import { seenIn } from './outgoing-needles.ts';
import type { Seen } from './outgoing-needles.ts';
import { replaceInText } from './stream-scanner.ts';

/**
 * A path or other short latin1 text for logs and reports: every placeholder and real value in it, in any form, is `[NAME]`.
 * Where one hides behind escapes that cannot be cut out alone, nothing but its `[NAME]` is left.
 */
export function redactPath(needles: Needles<Seen>, text: string): string {
  const redacted = replaceInText(needles, text, ({ secret }) => Buffer.from(`[${secret.name}]`));
  const [hidden] = seenIn(needles, redacted);
  return hidden ? `[${hidden.secret.name}]` : redacted;
}
