import { mintPlaceholder } from '../../src/secrets/mint-placeholder.ts';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
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

/** One pinned as `NAME@host;in=PLACES;max=N` says. */
export function pinnedSecret(name: string, value: string, { host = 'api.example.com', places, max = 1, placeholder }: { host?: string; places: string; max?: number; placeholder?: string }): Secret {
  const parsed = parsePlaces(places);
  if (parsed.problems.length > 0) throw new Error(parsed.problems.join('\n'));
  return { ...boundSecret(name, value, host), pins: { places: parsed.places, max }, ...(placeholder === undefined ? {} : { placeholder }) };
}
