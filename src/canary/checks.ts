import { quote } from '../policy/quote.ts';
import type { CheckName } from './canary-error.ts';
import type { CanaryAnswer, CanaryClients } from './canary-client.ts';
import { echoHeader, renderEcho } from './canary-upstream.ts';
import type { CanaryParts } from './prove-canary.ts';

type Parts = Omit<CanaryParts, 'deadlineMs' | 'authorityPem' | 'withdraw'> & {
  clients: CanaryClients;
  /** asks the host the secret is bound to, once: what the upstream gets and what comes back are two sides of one request */
  echo(): Promise<CanaryAnswer>;
};

/** null, or a clause on what is wrong */
type Check = (parts: Parts) => Promise<string | null>;

/** In this order the first to fail is the nearest to the cause. */
export const checks: readonly { name: CheckName; check: Check }[] = [
  { name: 'no route', check: checkRoute },
  { name: 'names', check: checkNames },
  { name: 'interception', check: checkInterception },
  { name: 'substitution', check: checkSubstitution },
  { name: 'scrubbing', check: checkScrubbing },
  { name: 'host binding', check: (parts) => askOtherHost(parts, { authorization: bearer(parts, 'placeholder'), refusal: { status: 403, reason: 'placeholder-wrong-host' } }) },
  { name: 'blocking', check: (parts) => askOtherHost(parts, { path: '/elsewhere', refusal: { status: 403, reason: 'path-not-allowed' } }) },
  { name: 'upstream certificates', check: (parts) => askOtherHost(parts, { refusal: { status: 502, reason: 'upstream-tls' } }) },
];

async function checkRoute({ probe, literals }: Parts): Promise<string | null> {
  const address = documentationAddresses.find((candidate) => !literals.includes(candidate));
  for (const host of [address ?? [], documentationAddressV6].flat()) {
    const probed = await probe({ host, port: 80 });
    if (probed.kind === 'connected') return `a connection to ${host} was opened`;
    if (probed.reason !== 'no-route') return `a connection to ${host} did not fail for want of a route, but in another way (${quote(probed.message)})`;
  }
  return null;
}

/** RFC 5737 and RFC 3849: nobody's. */
const documentationAddresses = ['203.0.113.1', '198.51.100.1', '192.0.2.1'];
const documentationAddressV6 = '2001:db8::1';

async function checkNames({ canary, probe }: Parts): Promise<string | null> {
  const probed = await probe({ host: canary.unlistedHost, port: 443 });
  if (probed.kind === 'connected') return 'a name that no rule allows was answered';
  return probed.reason === 'no-such-name' ? null : `a name that no rule allows was not refused, but failed in another way (${quote(probed.message)})`;
}

/** The client is not opened where the name leads elsewhere or the certificate is not one of this run. */
async function checkInterception({ canary, clients }: Parts): Promise<string | null> {
  await clients.to(canary.host);
  return null;
}

async function checkSubstitution(parts: Parts): Promise<string | null> {
  const { canary, upstream } = parts;
  await parts.echo();
  const arrived = upstream.requests.filter(({ host }) => host === canary.host);
  if (arrived.length !== 1) return 'a request to the host a secret is bound to did not arrive';
  return arrived[0]?.authorization === bearer(parts, 'value') ? null : 'a request arrived without the real value in the place of its placeholder';
}

async function checkScrubbing(parts: Parts): Promise<string | null> {
  const { body, headers } = await parts.echo();
  const expected = bearer(parts, 'placeholder');
  if (body.includes(parts.canary.secret.value)) return 'a real value came back';
  return headers[echoHeader] === expected && body === renderEcho(expected) ? null : 'what came back was not the same with every real value, raw and in base64, replaced by the placeholder';
}

export async function askBoundHost(parts: Pick<Parts, 'canary' | 'clients'>): Promise<CanaryAnswer> {
  const client = await parts.clients.to(parts.canary.host);
  return client.get({ path: '/', authorization: bearer(parts, 'placeholder') });
}

type Ask = { path?: string; authorization?: string; refusal: { status: number; reason: string } };

/** Asks the host that has no secret for what must be refused, and by the proxy itself. */
async function askOtherHost({ canary, clients, upstream }: Parts, { path = canary.allowedPath, authorization = 'none', refusal }: Ask): Promise<string | null> {
  const client = await clients.to(canary.otherHost);
  const { status, headers } = await client.get({ path, authorization });
  if (upstream.requests.some(({ host }) => host === canary.otherHost)) return 'a request that must be refused arrived';
  return status === refusal.status && headers['x-decoy-blocked'] === refusal.reason ? null : `a request that must be refused as \`${refusal.reason}\` was answered with status ${status}`;
}

function bearer({ canary }: Pick<Parts, 'canary'>, which: 'placeholder' | 'value'): string {
  return `Bearer ${canary.secret[which]}`;
}
