import type { NamedSecret } from './inputs/parse-secrets.ts';
import { quote } from './policy/quote.ts';
import type { ForeignCredentials } from './secrets/foreign-credentials.ts';
import { isBound, refuseSeen, type ScannedDestination } from './secrets/refuse-seen.ts';
import { DEFAULT_PINS } from './secrets/place.ts';
import type { Secret } from './secrets/secret.ts';

/** `method`: of a raw connection, any */
export type ExplainedRequest = ScannedDestination & { method?: string };

/**
 * What a run would do with each secret in a request that is allowed: where its placeholder is swapped, or why it is not. And, where that was
 * asked, with other credentials. A sentence each.
 */
export function explainSecrets(
  { method = 'GET', ...destination }: ExplainedRequest,
  { secrets, foreignCredentials }: { secrets: readonly NamedSecret[]; foreignCredentials: ForeignCredentials | null },
): string[] {
  const lines = secrets.map((named) => {
    if (!isBound(named, destination.host)) return `secret ${quote(named.name)} is not bound to this host, and its placeholder is blocked: placeholder-wrong-host`;
    const secret: Secret = { ...named, value: '', placeholder: '', placeholderPrefix: '' };
    const refusal = refuseSeen({ secret, kind: 'placeholder', encoding: 'raw' }, { destination, method, place: '', swappable: true });
    return refusal === null ? `secret ${quote(named.name)} ${whatHappens(named)}` : `secret ${quote(named.name)} is not swapped: ${refusal.reason}; ${refusal.remedy}`;
  });
  const isAsked = foreignCredentials !== null && destination.scheme !== 'tcp' && secrets.some((secret) => isBound(secret, destination.host));
  return isAsked ? [...lines, `other credentials ${WHAT_HAPPENS[foreignCredentials]}`] : lines;
}

function whatHappens(named: NamedSecret): string {
  const places = named.pins?.places ?? DEFAULT_PINS.places;
  const signed = places.flatMap(({ kind, text }) => (kind === 'signature' ? [quote(text)] : []));
  const swapped = places.length > signed.length ? [`is swapped ${placesOf(named)}`] : [];
  return [...swapped, ...(signed.length > 0 ? [`makes signatures again that its placeholder made: ${signed.join(', ')}`] : [])].join('; ');
}

function placesOf({ pins }: NamedSecret): string {
  if (pins === undefined) return 'in credential headers such as `authorization` and `x-api-key`';
  const places = pins.places.filter(({ kind }) => kind !== 'signature').map(({ kind, text }) => (kind === 'credentials' ? 'credential headers such as `authorization` and `x-api-key`' : quote(text)));
  return `in ${places.join(', ')}, ${pins.max === 1 ? 'once' : `at most ${pins.max} times`} in each`;
}

const WHAT_HAPPENS: Readonly<Record<ForeignCredentials, string>> = {
  allow: 'are let through',
  strip: 'in credential headers, and in headers a secret is pinned to, are left out',
  block: 'in credential headers, and in headers a secret is pinned to, are blocked: foreign-credential',
};
