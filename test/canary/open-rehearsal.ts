import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCanaryUpstream } from '../../src/canary/canary-upstream.ts';
import { proveCanary, type CanaryParts } from '../../src/canary/prove-canary.ts';
import { withCanary } from '../../src/canary/with-canary.ts';
import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { observePolicy } from '../../src/policy/observe-policy.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import type { ProxyOptions } from '../../src/proxy/options.ts';
import { startProxy } from '../../src/proxy/start-proxy.ts';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import type { Probe } from '../../src/sandbox/probe-channel.ts';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import type { Secret } from '../../src/secrets/secret.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { openPlain } from '../proxy/gateway-client.ts';

/** What is broken on purpose: options of the proxy, the gateway's part, or what the canary is told. */
export type Fault = {
  allow?: string[];
  observe?: boolean;
  secrets?: Secret[];
  proxy?(sound: ProxyOptions): Partial<ProxyOptions>;
  probe?(sound: Probe): Probe;
  parts?: Partial<CanaryParts>;
};

/** The host's side as a run starts it, real but for the gateway: names and connections come as its own would. */
export async function openRehearsal({ allow = [], observe = false, secrets = [], proxy: breakProxy = () => ({}), probe: breakProbe = (sound) => sound, parts = {} }: Fault = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'decoy-canary-'));
  const { rules } = parseRules(allow);
  const entries: AuditEntry[] = [];
  const enforced = compilePolicy({ rules, bindings: secrets });
  const { canary, policy, record, withdrawCanary } = withCanary({
    config: { rules }, secrets, policy: observe ? observePolicy(enforced, { rules }) : enforced, record: (entry) => void entries.push(entry),
  });
  const [authority, upstream] = await Promise.all([createAuthority(), openCanaryUpstream(canary)]);
  const sound: ProxyOptions = {
    socketPath: join(folder, 'proxy.sock'), policy, secrets: compileSecrets([...secrets, canary.secret]), resolve: upstream.resolve, authority,
    ownAddresses: [], pinnedAuthorities: [upstream.trust, { host: canary.otherHost, certificatePem: authority.certificatePem }], onEntry: record,
  };
  const proxy = await startProxy({ ...sound, ...breakProxy(sound) });
  const probe: Probe = async ({ host, port }) => {
    if (/^[0-9.]+$|:/.test(host)) return { kind: 'failed', reason: 'no-route', message: 'network is unreachable' };
    if (!policy.couldAllow(host)) return { kind: 'failed', reason: 'no-such-name', message: 'no such host' };
    const connection = openPlain({ socketPath: sound.socketPath, host, port }).on('error', () => {});
    await once(connection, 'connect');
    return { kind: 'connected', address: '198.18.0.1', connection };
  };
  return {
    canary, policy, authority, upstream, proxy, entries, withdrawCanary,
    prove: () => proveCanary({ canary, probe: breakProbe(probe), upstream, authorityPem: authority.certificatePem, literals: [], withdraw: async () => withdrawCanary(), ...parts }),
    async [Symbol.asyncDispose]() {
      await Promise.all([proxy[Symbol.asyncDispose](), upstream[Symbol.asyncDispose]()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
