import type { Needle } from './compile-needles.ts';
import type { Form } from './encodings.ts';

/** The needle by which a form is found. */
export function formNeedle<Tag>({ text, orText }: Form, tag: Tag): Needle<Tag> {
  const bytes = Buffer.from(text, 'latin1');
  return orText === undefined ? { bytes, tag } : { bytes, orBytes: Buffer.from(orText, 'latin1'), tag };
}
