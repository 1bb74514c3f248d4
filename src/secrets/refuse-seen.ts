import type { Destination, Endpoint, RefusalReason } from '../policy/policy.ts';
import { matchesHost } from '../policy/matches-host.ts';
import { quote } from '../policy/quote.ts';
import type { Seen } from './outgoing-needles.ts';
import type { BodyKind } from './parse-content-type.ts';
import { pinsOf } from './pin-counter.ts';
import { renderSecretLine } from './render-secret-line.ts';
import type { Secret } from './secret.ts';

/** A refusal that names the secret and the place, never a value. `remedy` is one sentence. */
export type SecretRefusal = { reason: RefusalReason; secret: string; place: string; remedy: string };

/** Where bytes go that are looked through: by a request, or by a raw connection. */
export type ScannedDestination = Endpoint & { scheme: Destination['scheme'] | 'tcp' };

export type Circumstances = {
  destination: ScannedDestination;
  method: string;
  place: string;
  /** whether the placeholder is where it may be swapped: then null unless something else forbids it */
  swappable?: boolean;
  /** the place as a pin, where there is one that would allow it */
  pin?: string | null;
  /** where the place is a body, what its Content-Type says it is: in one that is `other` no field is looked for */
  bodyKind?: BodyKind['kind'] | null;
};

export function refuseSeen({ secret, kind, encoding }: Seen, { destination, method, place, swappable = false, pin = null, bodyKind = null }: Circumstances): SecretRefusal | null {
  const refuse = (reason: RefusalReason, remedy: string): SecretRefusal => ({
    reason, secret: secret.name, place: encoding === 'raw' ? place : `${place}, in ${encoding} form`, remedy,
  });
  // Quoted only for a refusal: nearly every swap asks this and gets none.
  const name = () => quote(secret.name);
  if (kind === 'real') {
    return refuse('real-secret-leaving', `The sandbox must not have the real value of secret ${name()}: remove it from the workspace, the image and \`env\`, and use the placeholder in \`$${secret.name}\`.`);
  }
  if (destination.scheme === 'tcp') {
    return refuse(isBound(secret, destination.host) ? 'placeholder-wrong-place' : 'placeholder-wrong-host',
      `Secret ${name()} is swapped in HTTP requests over TLS and never in a raw TCP connection: give the program a credential of its own for ${quote(`tcp://${destination.host}:${destination.port}`)}.`);
  }
  if (!isBound(secret, destination.host)) {
    const line = renderSecretLine(secret, { hosts: [...secret.hostTexts, destination.host] });
    return refuse('placeholder-wrong-host', `If ${quote(destination.host)} is to receive secret ${name()}, bind it: ${line}; but note that whoever runs that host can then use it.`);
  }
  if (destination.scheme !== 'https') {
    return refuse('placeholder-without-tls', `Secret ${name()} is sent over TLS only: use ${quote(`https://${destination.host}${destination.port === 80 ? '' : `:${destination.port}`}`)}.`);
  }
  if (ECHOING_METHODS.has(method.toUpperCase())) {
    return refuse('method-carries-no-secret', `A server answers ${quote(method.toUpperCase())} with the request itself, so it carries no secret: use another method.`);
  }
  if (swappable && encoding === 'raw') return null;
  return refuse('placeholder-wrong-place', (encoding === 'raw' ? wrongType(secret, bodyKind) : null) ?? wrongPlace(secret, pin));
}

/** One more than the secret's `max` in one place of a request. */
export function refuseRepeated(secret: Secret, { place, pin }: { place: string; pin: string }): SecretRefusal {
  const { max } = pinsOf(secret);
  const line = renderSecretLine(secret, { max: max + 1 });
  return {
    reason: 'secret-repeated', secret: secret.name, place,
    remedy: `Secret ${quote(secret.name)} is put in ${max === 1 ? 'once' : `${max} times`} in ${quote(pin)} of a request: send it no more often, or allow it: ${line}.`,
  };
}

export function isBound(secret: Pick<Secret, 'hosts'>, host: string): boolean {
  return secret.hosts.some((pattern) => matchesHost(pattern, host));
}

/** RFC 9110, section 9.3.8; TRACK is its older namesake. */
export const ECHOING_METHODS: ReadonlySet<string> = new Set(['TRACE', 'TRACK']);

/** What a body holds is not read for a message: the user knows where the placeholder belongs. */
export const ANY_FIELD = 'body:FIELD';

/** Null where the secret is pinned to no field, or the type fits what is plainly no slip. A type that programs give by default, as curl does, is often one. */
function wrongType({ name, pins }: Secret, bodyKind: BodyKind['kind'] | null): string | null {
  const field = pins?.places.find(({ kind }) => kind === 'field');
  if (field === undefined) return null;
  const start = `Secret ${quote(name)} is pinned to ${quote(field.text)}, but the body`;
  if (bodyKind === 'other') return `${start}'s Content-Type is none in which a field is looked for: send \`content-type: application/json\` with JSON, or \`application/x-www-form-urlencoded\` with a form.`;
  if (bodyKind === 'form') return `${start} came as \`application/x-www-form-urlencoded\`, and the placeholder is in no such field of a form: send \`content-type: application/json\` if the body is JSON, or else put it in a field that is pinned.`;
  return null;
}

function whereSwapped({ pins }: Secret): string {
  const signatures = pins?.places.filter(({ kind }) => kind === 'signature') ?? [];
  const places = pins?.places.filter(({ kind }) => kind !== 'signature') ?? [];
  if (signatures.length > 0 && places.length === 0) return `only signs (${signatures.map(({ text }) => quote(text)).join(', ')}) and is itself not sent: sign with its placeholder`;
  const where = places.length > 0
    ? `in ${places.map(({ text }) => quote(text)).join(', ')}`
    : 'in a credential header such as `authorization` or `x-api-key`, or in Basic credentials';
  return `is swapped only where it stands unencoded ${where}: send it there`;
}

function wrongPlace(secret: Secret, pin: string | null): string {
  const pinned = secret.pins?.places.map(({ text }) => text) ?? [];
  const start = `Secret ${quote(secret.name)} ${whereSwapped(secret)}`;
  if (pin === null || pinned.includes(pin) || (pin === ANY_FIELD && pinned.includes('body'))) return `${start}.`;
  const line = renderSecretLine(secret, { places: [...pinned, pin] });
  const which = pin === ANY_FIELD ? ', where FIELD is the path of a string in JSON, as in `auth.token`, or the name of a form\'s field, and the Content-Type says which of them the body is' : '';
  return `${start}, or pin it to this place: ${line}${which}.`;
}
