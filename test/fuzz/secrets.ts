import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { encodedForms } from '../../src/secrets/encodings.ts';
import type { Secret } from '../../src/secrets/secret.ts';

const secret = (name: string, value: string, placeholder: string, host: string): Secret => ({
  name, value, placeholder, placeholderPrefix: '', hostTexts: [host], hosts: [{ kind: 'exact', name: host }],
});

/** The same in every run, so that an input that found something finds it again. */
export const fuzzedSecrets: readonly Secret[] = [
  secret('KEY', 'sk-proj-real/VALUE+of=the"key', 'sk-proj-hold/PLACE+of=the"key', 'api.test'),
  secret('PASSWORD', 'p\u00e4ss w\u00f6rd/real&1', 'DECOY_0123456789abcdef0123456789abcdef0123456789abcdef', 'db.test'),
];

export const compiledFuzzedSecrets = compileSecrets(fuzzedSecrets);

/** Bytes from 0x80 stand for the forms of these values and placeholders, as no fuzzer guesses them. */
export function createTokens(secrets: readonly Secret[]): (text: string) => string {
  const tokens = secrets.flatMap(({ value, placeholder }) => [value, placeholder]).flatMap((text) => [
    Buffer.from(text, 'utf8').toString('latin1'),
    ...encodedForms(text).map((form) => form.text),
    Buffer.from(`user:${text}`).toString('base64'),
  ]);
  return (text) => text.replaceAll(/[\x80-\xff]/g, (character) => tokens[(character.charCodeAt(0) - 0x80) % tokens.length]!);
}

export const withTokens = createTokens(fuzzedSecrets);
