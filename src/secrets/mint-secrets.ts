import { mintPlaceholder } from './mint-placeholder.ts';
import type { Secret, SecretBinding } from './secret.ts';

/**
 * Mints a placeholder for each binding. None contains any binding's real value, whichever it stands for: the scrubber would
 * otherwise break it on its way back.
 */
export function mintSecrets(bindings: readonly SecretBinding[]): Secret[] {
  return bindings.map((binding) => {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const { placeholder, prefix } = mintPlaceholder(binding.value);
      if (bindings.some(({ value }) => placeholder.includes(value))) continue;
      return { ...binding, placeholder, placeholderPrefix: prefix };
    }
    const other = bindings.find(({ value }) => binding.value.startsWith(value) && value !== binding.value);
    throw new RangeError(`no placeholder for secret \`${binding.name}\` is without the value of secret \`${other?.name ?? 'another'}\`; use credentials that are not part of each other`);
  });
}

const MAX_ATTEMPTS = 100;
