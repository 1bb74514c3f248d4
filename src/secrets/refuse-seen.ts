import type { Destination, Endpoint, RefusalReason } from '../policy/policy.ts';
import { matchesHost } from '../policy/matches-host.ts';
import { quote } from '../policy/quote.ts';
import type { Seen } from './outgoing-needles.ts';
import type { Secret } from './secret.ts';

/** A refusal that names the secret and the place, never a value. `remedy` is one sentence. */
export type SecretRefusal = { reason: RefusalReason; secret: string; place: string; remedy: string };

/** Where bytes go that are looked through: by a request, or by a raw connection. */
export type ScannedDestination = Endpoint & { scheme: Destination['scheme'] | 'tcp' };

type Circumstances = {
  destination: ScannedDestination;
  method: string;
  place: string;
  /** whether the placeholder is where it may be swapped: then null unless something else forbids it */
  swappable?: boolean;
};

export function refuseSeen({ secret, kind, encoding }: Seen, { destination, method, place, swappable = false }: Circumstances): SecretRefusal | null {
  const refuse = (reason: RefusalReason, remedy: string): SecretRefusal => ({
    reason, secret: secret.name, place: encoding === 'raw' ? place : `${place}, in ${encoding} form`, remedy,
  });
  const name = quote(secret.name);
  if (kind === 'real') {
    return refuse('real-secret-leaving', `The sandbox must not have the real value of secret ${name}: remove it from the workspace, the image and \`env\`, and use the placeholder in \`$${secret.name}\`.`);
  }
  if (destination.scheme === 'tcp') {
    return refuse(isBound(secret, destination.host) ? 'placeholder-wrong-place' : 'placeholder-wrong-host',
      `Secret ${name} is swapped in HTTP requests over TLS and never in a raw TCP connection: give the program a credential of its own for ${quote(`tcp://${destination.host}:${destination.port}`)}.`);
  }
  if (!isBound(secret, destination.host)) {
    const hosts = [...secret.hostTexts, destination.host].join(',');
    return refuse('placeholder-wrong-host', `If ${quote(destination.host)} is to receive secret ${name}, bind it: ${quote(`--secret ${secret.name}@${hosts}`)}, but note that whoever runs that host can then use it.`);
  }
  if (destination.scheme !== 'https') {
    return refuse('placeholder-without-tls', `Secret ${name} is sent over TLS only: use ${quote(`https://${destination.host}`)}.`);
  }
  if (ECHOING_METHODS.has(method.toUpperCase())) {
    return refuse('method-carries-no-secret', `A server answers ${quote(method.toUpperCase())} with the request itself, so it carries no secret: use another method.`);
  }
  if (swappable && encoding === 'raw') return null;
  return refuse('placeholder-wrong-place', `Secret ${name} is swapped only where it stands unencoded, or in Basic credentials, in a credential header such as \`authorization\` or \`x-api-key\`: send it there, as pinning it to another place is not supported yet.`);
}

export function isBound(secret: Secret, host: string): boolean {
  return secret.hosts.some((pattern) => matchesHost(pattern, host));
}

/** RFC 9110, section 9.3.8; TRACK is its older namesake. */
const ECHOING_METHODS: ReadonlySet<string> = new Set(['TRACE', 'TRACK']);
