import { mintPlaceholder } from '../../src/secrets/mint-placeholder.ts';
import type { Secret } from '../../src/secrets/secret.ts';

/** A secret bound to exact names, or with `**.` to any name below. */
export function boundSecret(name: string, value: string, ...hosts: string[]): Secret {
  const { placeholder, prefix } = mintPlaceholder(value);
  return {
    name,
    value,
    placeholder,
    placeholderPrefix: prefix,
    hostTexts: hosts,
    hosts: hosts.map((host) => (host.startsWith('**.') ? { kind: 'any-depth', name: host.slice(3) } : { kind: 'exact', name: host })),
  };
}
