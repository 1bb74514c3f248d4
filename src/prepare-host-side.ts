import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Host, RunConfig } from './config.ts';
import { compilePolicy } from './policy/compile-policy.ts';
import type { Policy } from './policy/policy.ts';
import { startProxy } from './proxy/start-proxy.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import type { RunEvents } from './run.ts';
import { giveToGateway } from './sandbox/gateway-user.ts';
import { labelsOf } from './sandbox/labels.ts';
import { compileSecrets } from './secrets/compile-secrets.ts';
import type { Secret } from './secrets/secret.ts';
import { createAuthority, type Authority } from './trust/authority.ts';

export type HostSideOptions = {
  id: string; config: RunConfig; host: Host; secrets: readonly Secret[]; record(entry: AuditEntry): void; events: Pick<RunEvents, 'onWarning'>;
};

/** What holds the real secrets and decides: the policy, the authority and the proxy, listening on a socket of this run. */
export type HostSide = AsyncDisposable & { policy: Policy; authority: Authority; socketDirectory: string };

export async function prepareHostSide({ id, config, host, secrets, record, events }: HostSideOptions): Promise<HostSide> {
  const policy = compilePolicy({ rules: config.rules, bindings: secrets });
  const authority = await createAuthority();
  const directory = await openRunDirectory(id);
  try {
    const proxy = await startProxy({
      socketPath: path.join(directory, 'proxy.sock'), policy, secrets: compileSecrets(secrets), resolve: config.resolve, authority,
      ownAddresses: Object.values(os.networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
      ...(host.upstreamCertificates ? { upstreamCertificates: host.upstreamCertificates } : {}),
      onEntry: record,
      onWarning: (text) => events.onWarning(text),
    });
    await giveToGateway(path.join(directory, 'proxy.sock'));
    await giveToGateway(directory);
    return {
      policy, authority, socketDirectory: directory,
      [Symbol.asyncDispose]: async () => {
        await proxy[Symbol.asyncDispose]();
        await fs.rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await fs.rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** sun_path of a Unix socket address has 108 bytes (unix(7)). */
const SOCKET_PATH_BYTES = 107;

/** The run's only directory on the host; `owner.json` tells clean-up whose it is. */
async function openRunDirectory(id: string): Promise<string> {
  const name = `decoy-${id}`;
  const preferred = path.join(os.tmpdir(), name);
  const directory = Buffer.byteLength(`${preferred}/control.sock`) <= SOCKET_PATH_BYTES ? preferred : path.join('/tmp', name);
  await fs.mkdir(directory, { mode: 0o700 });
  await fs.writeFile(path.join(directory, 'owner.json'), JSON.stringify(labelsOf(id)), { mode: 0o600 });
  return directory;
}
