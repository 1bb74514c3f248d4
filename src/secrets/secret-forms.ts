import { encodedForms, type Form } from './encodings.ts';
import type { Secret } from './secret.ts';

/** The forms of a secret's value or of its placeholder: made once, though requests and answers are searched for them, and before the canary is withdrawn and after. */
export function secretForms(secret: Secret, of: 'value' | 'placeholder'): readonly Form[] {
  const made = formsMade[of].get(secret) ?? encodedForms(secret[of]);
  formsMade[of].set(secret, made);
  return made;
}

const formsMade = { value: new WeakMap<Secret, Form[]>(), placeholder: new WeakMap<Secret, Form[]>() };
