import { quote } from '../policy/quote.ts';

/** One sentence for each secret whose value stands in quotes, as if for a shell: they belong to the value, which is hardly what was meant. */
export function quotedSecretWarnings(secrets: readonly { name: string; value: string }[]): string[] {
  return secrets.filter(({ value }) => withoutQuotes(value) !== null).map(({ name }) =>
    `secret ${quote(name)}: the quotes around the value are part of it, and are sent with it: remove them, unless the credential has them itself.`);
}

/** What stands between a pair of quotes; null where there is none. */
export function withoutQuotes(value: string): string | null {
  return /^(["'])(.+)\1$/s.exec(value)?.[2] ?? null;
}
