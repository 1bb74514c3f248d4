import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { CanaryError } from '../../src/canary/canary-error.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { boundSecret } from '../secrets/bound-secret.ts';
import { openRehearsal, type Fault } from './open-rehearsal.ts';

// I15
test('where all holds, the canary holds, and leaves nothing', async () => {
  const secrets = [boundSecret('TOKEN', 'a-value-of-the-users-own', 'api.test')];
  await using rehearsal = await openRehearsal({ secrets, allow: ['**.example.com', '203.0.113.1'] });
  const { canary, policy, upstream } = rehearsal;
  const isKnown = () => [canary.host, canary.otherHost, canary.unlistedHost].map((name) => policy.couldAllow(name));
  expect(isKnown()).toEqual([true, true, false]);
  await rehearsal.prove();
  expect(isKnown()).toEqual([false, false, false]);
  expect(policy.couldReach({ host: canary.host, port: 443 })).toBe(false);
  expect(policy.couldAllow('api.test')).toBe(true);
  expect(rehearsal.entries).toEqual([]);
  // What the checks rest on: the real value was received once and sent back, and the other host's upstream got no further than its certificate.
  expect(upstream.requests.map(({ authorization }) => authorization)).toEqual([`Bearer ${canary.secret.value}`]);
  expect(upstream.handshakes.filter((name) => name === canary.otherHost)).toHaveLength(1);
});

test('in observe mode the rules are enforced until it has held, and only then observed', async () => {
  await using rehearsal = await openRehearsal({ observe: true });
  const { policy } = rehearsal;
  expect(policy.couldAllow('unlisted.test')).toBe(false);
  await rehearsal.prove();
  expect(policy.couldAllow('unlisted.test')).toBe(true);

  await using broken = await openRehearsal({ observe: true, proxy: (sound) => ({ policy: altered(sound.policy, { decide: () => ({ allowed: true, rule: 'any' }), couldReach: () => true }) }) });
  await expect(broken.prove()).rejects.toThrow('failed at "blocking"');
});

test('it holds with the least limits, asks no proxy of the host\'s network, and parses no trusted roots', async () => {
  let isRead = false;
  const nowhere = { variable: 'HTTPS_PROXY', scheme: 'http', host: '127.0.0.1', port: 1, authorization: null } as const;
  await using rehearsal = await openRehearsal({
    proxy: () => ({
      limits: { headerBytes: 4096, idleMs: 1000, connections: 4, requestsRunning: 1 },
      upstreamProxies: { https: nowhere, http: nowhere, noProxy: '' },
      upstreamRootFiles: { extra: [], get system() { isRead = true; return []; } },
    }),
  });
  await rehearsal.prove();
  expect(isRead).toBe(false);
});

test('its names are new every time, and no rule can cover them', async () => {
  await using first = await openRehearsal();
  await using second = await openRehearsal();
  expect(first.canary.host).not.toBe(second.canary.host);
  expect(first.canary.secret.value).not.toBe(second.canary.secret.value);
  for (const { host, otherHost, unlistedHost } of [first.canary, second.canary]) {
    for (const name of [host, otherHost, unlistedHost]) expect(name).toMatch(/^[a-z]+-[0-9a-f]{32}\.invalid$/);
  }
  expect(parseRules(['*.invalid', '**.invalid']).rules).toEqual([]);
});

describe('the canary fails', () => {
  test.each<[string, Fault, string]>([
    ['responses are not scrubbed', { proxy: ({ secrets }) => ({ secrets: altered(secrets, { scrubberFor: () => null }) }) }, 'scrubbing'],
    ['the placeholder is not swapped', { proxy: ({ secrets }) => ({ secrets: altered(secrets, { substituteRequest: ({ url, rawHeaders }) => ({ ok: true, url, rawHeaders, uses: [], signatures: null }) }) }) }, 'substitution'],
    ['the proxy does not know the secret', { proxy: () => ({ secrets: compileSecrets([]) }) }, 'substitution'],
    ['secrets go to every host', { proxy: ({ secrets }) => ({ secrets: compileSecrets(secrets.list.map((secret) => ({ ...secret, hosts: [...secret.hosts, { kind: 'any-depth', name: 'invalid' }] }))) }) }, 'host binding'],
    ['every request is allowed', { proxy: ({ policy }) => ({ policy: altered(policy, { decide: () => ({ allowed: true, rule: 'any' }), couldReach: () => true }) }) }, 'blocking'],
    ['no request is allowed', { proxy: ({ policy }) => ({ policy: altered(policy, { decide: () => ({ allowed: false, reason: 'path-not-allowed', remedy: '' }) }) }) }, 'substitution'],
    ['an upstream is trusted that nobody vouches for', { proxy: ({ pinnedAuthorities: [trust] = [] }) => ({ pinnedAuthorities: [], upstreamCertificates: [trust!.certificatePem] }) }, 'upstream certificates'],
    ['one host\'s authority is trusted for another', { proxy: ({ pinnedAuthorities: pins = [] }) => ({ pinnedAuthorities: pins.map((pin) => ({ ...pin, certificatePem: pins[0]!.certificatePem })) }) }, 'upstream certificates'],
    ['the upstream is not trusted', { proxy: () => ({ pinnedAuthorities: [] }) }, 'substitution'],
    ['the upstream cannot be reached', { proxy: ({ resolve }) => ({ resolve: resolve.map((entry) => ({ ...entry, addressPort: 1 })) }) }, 'substitution'],
    ['a raw address is reached', { probe: (sound) => async (destination) => ({ ...await sound(destination), kind: 'connected', address: '198.18.0.9', connection: connect(1).on('error', () => {}) }) }, 'no route'],
    ['an unlisted name is answered', { probe: (sound) => (destination) => sound(destination.host.startsWith('unlisted') ? { ...destination, host: 'api.test' } : destination), allow: ['api.test'] }, 'names'],
    ['a name is not answered, nor refused', { probe: (sound) => (destination) => (destination.host.startsWith('unlisted') ? Promise.resolve({ kind: 'failed', reason: 'other', message: 'i/o timeout' }) : sound(destination)) }, 'names'],
    ['a raw address does not fail at once', { probe: (sound) => (destination) => (destination.port === 80 ? Promise.resolve({ kind: 'failed', reason: 'other', message: 'i/o timeout' }) : sound(destination)) }, 'no route'],
    ['the name leads out of the range', { probe: (sound) => async (destination) => leadingTo('192.0.2.7', await sound(destination)) }, 'interception'],
    ['the gateway goes', { probe: (sound) => (destination) => (destination.host.startsWith('canary') ? Promise.reject(new Error('the gateway ended')) : sound(destination)) }, 'interception'],
    ['what was the canary\'s cannot be taken away', { parts: { withdraw: () => Promise.reject(new Error('the gateway ended')) } }, 'withdrawal'],
  ])('where %s', async (_, fault, check) => {
    await using rehearsal = await openRehearsal(fault);
    const error = await rehearsal.prove().then(() => null, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(CanaryError);
    expect((error as Error).message).toMatch(new RegExp(`^the start-up canary failed at "${check}": .*; the command was not started.* report it`));
    const { value, placeholder } = rehearsal.canary.secret;
    for (const text of [value, placeholder]) expect((error as Error).message).not.toContain(text);
    expect(rehearsal.entries).toEqual([]);
  });

  test('where connections go past the proxy to the upstream itself', async () => {
    const holder: { port?: number } = {};
    await using rehearsal = await openRehearsal({
      probe: (sound) => async ({ host, port }) => {
        if (!host.startsWith('canary')) return sound({ host, port });
        return { kind: 'connected', address: '198.18.0.1', connection: connect(holder.port!, '127.0.0.1') };
      },
    });
    holder.port = rehearsal.upstream.resolve[0]!.addressPort;
    await expect(rehearsal.prove()).rejects.toThrow(/"interception": the connection failed \(.*(CERT|SIGNATURE)/);
  });

  test('where the certificate is of another authority than the sandbox is told to trust', async () => {
    const { certificatePem } = await createAuthority();
    await using rehearsal = await openRehearsal({ parts: { authorityPem: certificatePem } });
    await expect(rehearsal.prove()).rejects.toThrow(/"interception": the connection failed \(.*(CERT|SIGNATURE)/);
  });

  test('where the proxy has gone', async () => {
    await using rehearsal = await openRehearsal();
    await rehearsal.proxy[Symbol.asyncDispose]();
    await expect(rehearsal.prove()).rejects.toThrow(/"interception": the connection failed/);
  });

  test('where nothing answers, after its deadline', async () => {
    await using rehearsal = await openRehearsal({ probe: () => () => new Promise(() => {}), parts: { deadlineMs: 50 } });
    await expect(rehearsal.prove()).rejects.toThrow('"no route": there was no result within 0.05 s');
  });
});

function altered<T>(sound: T, fault: Partial<T>): T {
  return { ...sound, ...fault };
}

function leadingTo(address: string, probed: Awaited<ReturnType<ReturnType<NonNullable<Fault['probe']>>>>) {
  return probed.kind === 'connected' ? { ...probed, address } : probed;
}
