import type { RefusalReason } from '../policy/policy.ts';

const SECRET_MISUSE: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  'placeholder-wrong-host',
  'placeholder-wrong-place',
  'placeholder-without-tls',
  'real-secret-leaving',
  'real-secret-arriving',
  'method-carries-no-secret',
  'secret-repeated',
  'foreign-credential',
  'signature-not-swapped',
  'unreadable-body',
  'unscannable-body',
]);

/** Whether a refusal kept a secret or its placeholder from leaving, or a real value from coming in: listed first, and never offered as an allow rule. */
export function isSecretMisuse(reason: RefusalReason): boolean {
  return SECRET_MISUSE.has(reason);
}
