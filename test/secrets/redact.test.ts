import { expect, test } from 'vitest';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { boundSecret } from './bound-secret.ts';

const key = boundSecret('API_KEY', 'sk-proj-aB3/E6gH9jK2mN5pQ8sT1v+X', 'api.example.com');
const token = boundSecret('TOKEN', 'aB3dE6gH', 'api.example.com');
const secrets = compileSecrets([key, token]);

test.each([
  ['nothing to hide', '/a/b%20c', '/a/b%20c'],
  ['a placeholder', `/a/${key.placeholder}/b`, '/a/[API_KEY]/b'],
  ['a real value', `/a/${token.value}/b`, '/a/[TOKEN]/b'],
  ['two', `/${token.value}/${key.value}`, '/[TOKEN]/[API_KEY]'],
  ['an odd mixture of escapes', `/a/${token.value.replace('a', '%61')}/b`, '[TOKEN]'],
])('%s', (_, path, redacted) => {
  expect(secrets.redact(path)).toBe(redacted);
});

test('every form of every placeholder and value', () => {
  for (const { name, value, placeholder } of [key, token]) {
    for (const { text } of [...encodedForms(value), ...encodedForms(placeholder)]) expect(secrets.redact(`/a/${text}/b`)).toBe(`/a/[${name}]/b`);
  }
});
