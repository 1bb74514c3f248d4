import { compileNeedles } from './compile-needles.ts';
import type { Hit, Needles } from './compile-needles.ts';
import { encodedForms } from './encodings.ts';
import type { Encoding } from './encodings.ts';
import { formNeedle } from './form-needle.ts';
import type { Secret } from './secret.ts';
import { unescapings } from './unescapings.ts';

/** What was seen leaving the sandbox. */
export type Seen = { secret: Secret; kind: 'placeholder' | 'real'; encoding: Encoding };

export type SecretNeedles = {
  secrets: readonly Secret[];
  all: Needles<Seen>;
  /** placeholders as they stand: what may be swapped */
  placeholders: Needles<Secret>;
};

export function secretNeedles(secrets: readonly Secret[]): SecretNeedles {
  const placeholders = secrets.map((secret) => ({ bytes: Buffer.from(secret.placeholder), tag: secret }));
  return { secrets, all: outgoingNeedles(secrets), placeholders: compileNeedles(placeholders) };
}

/** Every form of every placeholder and real value; where one text is both, the real one counts. */
function outgoingNeedles(secrets: readonly Secret[]): Needles<Seen> {
  const seen = (kind: Seen['kind'], valueOf: (secret: Secret) => string) =>
    secrets.flatMap((secret) =>
      encodedForms(valueOf(secret)).map((form) => formNeedle(form, { secret, kind, encoding: form.encoding })),
    );
  return compileNeedles([...seen('real', ({ value }) => value), ...seen('placeholder', ({ placeholder }) => placeholder)]);
}

/** All hits in a short latin1 text and in what its escapes stand for. */
export function seenIn(needles: Needles<Seen>, text: string): Seen[] {
  return [...hitsIn(needles, text), ...unescapings(text).flatMap((plain) => hitsIn(needles, plain))].map(({ tag }) => tag);
}

/** Hits in a short latin1 text as it stands, in order and without overlap. */
export function hitsIn<Tag>(needles: Needles<Tag>, text: string): Hit<Tag>[] {
  const bytes = Buffer.from(text, 'latin1');
  const hits: Hit<Tag>[] = [];
  for (let hit = needles.find(bytes, 0); hit !== null; hit = needles.find(bytes, hit.end)) hits.push(hit);
  return hits;
}
