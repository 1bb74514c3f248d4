import { compileNeedles } from './compile-needles.ts';
import type { Hit, Needle, Needles } from './compile-needles.ts';
import type { Encoding } from './encodings.ts';
import { formNeedle } from './form-needle.ts';
import { secretForms } from './secret-forms.ts';
import type { Secret } from './secret.ts';
import { unescapings } from './unescapings.ts';

/** What was seen leaving the sandbox. */
export type Seen = { secret: Secret; kind: 'placeholder' | 'real'; encoding: Encoding };

export type SecretNeedles = {
  secrets: readonly Secret[];
  all: Needles<Seen>;
  /** real values alone; compiled when they are first asked for, as few runs do */
  real(): Needles<Seen>;
  /** placeholders as they stand: what may be swapped */
  placeholders: Needles<Secret>;
};

export function secretNeedles(secrets: readonly Secret[]): SecretNeedles {
  const placeholders = secrets.map((secret) => ({ bytes: Buffer.from(secret.placeholder), tag: secret }));
  const allReal = formNeedles(secrets, 'real');
  let real: Needles<Seen> | null = null;
  return {
    secrets,
    // Where one text is both a real value's and a placeholder's, the first counts.
    all: compileNeedles([...allReal, ...formNeedles(secrets, 'placeholder')]),
    real: () => (real ??= compileNeedles(allReal)),
    placeholders: compileNeedles(placeholders),
  };
}

/** Every form of every secret's real value or placeholder. */
function formNeedles(secrets: readonly Secret[], kind: Seen['kind']): Needle<Seen>[] {
  return secrets.flatMap((secret) =>
    secretForms(secret, kind === 'real' ? 'value' : 'placeholder').map((form) => formNeedle(form, { secret, kind, encoding: form.encoding })),
  );
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
