import os from 'node:os';
import path from 'node:path';
import type { Host, RunConfig } from './config.ts';
import type { Policy } from './policy/policy.ts';
import { startProxy } from './proxy/start-proxy.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import type { RunEvents } from './run.ts';
import { giveToGateway } from './sandbox/gateway-user.ts';
import { compileSecrets } from './secrets/compile-secrets.ts';
import type { Secret } from './secrets/secret.ts';
import { createAuthority, type Authority } from './trust/authority.ts';

export { layOutTree } from './lay-out-tree.ts';

export type HostSideOptions = {
  config: RunConfig; host: Host; secrets: readonly Secret[]; policy: Policy; runDirectory: string; record(entry: AuditEntry): void; events: Pick<RunEvents, 'onWarning'>;
};

/** What holds the real secrets and decides: the authority and the proxy, listening on a socket of this run. */
export type HostSide = AsyncDisposable & { authority: Authority };

export async function prepareHostSide({ config, host, secrets, policy, runDirectory, record, events }: HostSideOptions): Promise<HostSide> {
  const authority = await createAuthority();
  const socketPath = path.join(runDirectory, 'proxy.sock');
  const proxy = await startProxy({
    socketPath, policy, secrets: compileSecrets(secrets), resolve: config.resolve, authority,
    ownAddresses: Object.values(os.networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
    ...(host.upstreamCertificates ? { upstreamCertificates: host.upstreamCertificates } : {}),
    ...(host.upstreamRootFiles ? { upstreamRootFiles: host.upstreamRootFiles } : {}),
    ...(host.upstreamProxies ? { upstreamProxies: host.upstreamProxies } : {}),
    ...(config.clientCertificates ? { clientCertificates: config.clientCertificates } : {}),
    ...(config.proxyLimits ? { limits: config.proxyLimits } : {}),
    onEntry: record,
    onWarning: (text) => events.onWarning(text),
  });
  await giveToGateway(socketPath);
  return { authority, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}
