import os from 'node:os';
import path from 'node:path';
import { openCanaryUpstream } from './canary/canary-upstream.ts';
import { proveCanary } from './canary/prove-canary.ts';
import { replaceable } from './canary/replaceable.ts';
import type { WithCanary } from './canary/with-canary.ts';
import type { Host, RunConfig } from './config.ts';
import type { Policy } from './policy/policy.ts';
import { createRateLimit } from './proxy/rate-limit.ts';
import { startProxy } from './proxy/start-proxy.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import type { RunEvents } from './run.ts';
import { giveToGateway } from './sandbox/gateway-user.ts';
import type { ProbeChannel } from './sandbox/probe-channel.ts';
import { compileSecrets } from './secrets/compile-secrets.ts';
import type { Secret } from './secrets/secret.ts';
import { createAuthority, type Authority } from './trust/authority.ts';

export { placedFiles } from './placed-files.ts';
export { layOutTree } from './lay-out-tree.ts';

export type HostSideOptions = WithCanary & {
  config: RunConfig; host: Host; secrets: readonly Secret[]; policy: Policy; runDirectory: string; record(entry: AuditEntry): void; events: Pick<RunEvents, 'onWarning'>;
};

/** What holds the real secrets and decides: the authority and the proxy, listening on a socket of this run. */
export type HostSide = AsyncDisposable & {
  authority: Authority;
  /** Proves by the canary that all of it holds, and then takes the canary away; resolves with the milliseconds that took. */
  rehearse(probes: Pick<ProbeChannel, 'probe' | 'end'>): Promise<number>;
};

export async function prepareHostSide({ config, host, secrets, policy, canary, withdrawCanary, runDirectory, record, events }: HostSideOptions): Promise<HostSide> {
  const [authority, upstream] = await Promise.all([createAuthority(), openCanaryUpstream(canary)]);
  const { foreignCredentials } = config;
  const compiled = replaceable(compileSecrets([...secrets, canary.secret], { foreignCredentials }));
  // What the canary asks is not the command's, and is more than the least rate.
  const rate = replaceable(createRateLimit(null));
  const socketPath = path.join(runDirectory, 'proxy.sock');
  const starting = startProxy({
    socketPath, policy, secrets: compiled.value, resolve: [...config.resolve, ...upstream.resolve], authority,
    ownAddresses: Object.values(os.networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
    upstreamCertificates: host.upstreamCertificates,
    upstreamRootFiles: host.upstreamRootFiles,
    upstreamProxies: host.upstreamProxies,
    clientCertificates: config.clientCertificates,
    limits: config.proxyLimits,
    rate: rate.value,
    // The other name has one as well, the wrong one: with none, the canary would wait for all trusted roots to be parsed.
    pinnedAuthorities: [upstream.trust, { host: canary.otherHost, certificatePem: authority.certificatePem }],
    onEntry: record,
    onWarning: (text) => events.onWarning(text),
  });
  starting.catch(() => upstream[Symbol.asyncDispose]());
  const proxy = await starting;
  await giveToGateway(socketPath);
  // Made while the gateway starts, so that the canary need not wait for them.
  await Promise.all([canary.host, canary.otherHost].map((name) => authority.leafContext(name)));
  const withdraw = async ({ end }: Pick<ProbeChannel, 'end'>) => {
    withdrawCanary();
    rate.replace(createRateLimit(config.proxyLimits?.requestsPerMinute ?? null));
    compiled.replace(compileSecrets(secrets, { foreignCredentials }));
    await Promise.all([upstream[Symbol.asyncDispose](), end()]);
  };
  return {
    authority,
    rehearse: async (probes) => {
      const startedMs = performance.now();
      await proveCanary({
        canary, probe: probes.probe, upstream, authorityPem: authority.certificatePem, literals: policy.addresses, withdraw: () => withdraw(probes),
      });
      return performance.now() - startedMs;
    },
    [Symbol.asyncDispose]: async () => void await Promise.all([proxy[Symbol.asyncDispose](), upstream[Symbol.asyncDispose]()]),
  };
}
