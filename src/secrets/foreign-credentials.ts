import type { Destination } from '../policy/policy.ts';
import { quote } from '../policy/quote.ts';
import { hyphenated } from './hyphenated.ts';
import { isBound, type SecretRefusal } from './refuse-seen.ts';
import { CREDENTIAL_NAMES, headerPlace } from './request-parts.ts';
import type { Secret } from './secret.ts';
import type { Substitution } from './substitute-request.ts';

/** What happens to a credential that is none of Decoy's secrets, on a host one of them is bound to. */
export type ForeignCredentials = (typeof FOREIGN_CREDENTIALS)[number];
export const FOREIGN_CREDENTIALS = ['allow', 'strip', 'block'] as const;

type Swapped = Extract<Substitution, { ok: true }>;
type Circumstances = { carriers: ReadonlySet<number>; destination: Destination; secrets: readonly Secret[]; foreignCredentials: ForeignCredentials };

/**
 * Holds a bound host to the credentials the user gave. With one of its own, the sandbox could make the host do things in another
 * account: store there what it read with the real one.
 */
export function checkForeignCredentials(swapped: Swapped, { carriers, destination, secrets, foreignCredentials }: Circumstances): Substitution {
  if (foreignCredentials === 'allow') return swapped;
  const bound = secrets.filter((secret) => isBound(secret, destination.host));
  if (bound.length === 0) return swapped;
  const pinned = bound.flatMap(({ pins }) => pins?.places.flatMap((place) => (place.kind === 'header' ? [place.name] : place.kind === 'signature' && place.header !== '' ? [place.header] : [])) ?? []);
  const isForeign = (at: number, name: string): boolean => !carriers.has(at) && (CREDENTIAL_NAMES.has(hyphenated(name)) || pinned.some((one) => hyphenated(one) === hyphenated(name)));
  const kept: string[] = [];
  const { rawHeaders } = swapped;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!isForeign(at, name)) kept.push(rawHeaders[at]!, rawHeaders[at + 1]!);
    else if (foreignCredentials === 'block') return refuseForeign(name, bound[0]!);
  }
  return kept.length === rawHeaders.length ? swapped : { ...swapped, rawHeaders: kept };
}

export function refuseForeign(header: string, { name }: Pick<Secret, 'name'>): { ok: false } & SecretRefusal {
  return {
    ok: false, reason: 'foreign-credential', secret: name, place: headerPlace(header),
    remedy: `This host takes no credential but placeholders: send that of secret ${quote(name)} in ${quote(header)}, leave the header out, or set \`foreign-credentials\` to \`strip\` or \`allow\`.`,
  };
}
