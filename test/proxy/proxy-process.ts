import { once } from 'node:events';
import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import type { ResolveEntry } from '../../src/policy/policy.ts';
import type { ProxyLimits } from '../../src/proxy/limits.ts';
import { startProxy } from '../../src/proxy/start-proxy.ts';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
import { createAuthority } from '../../src/trust/authority.ts';

export type ProxySettings = { socketPath: string; resolve: ResolveEntry[]; caPem: string; limits: Partial<ProxyLimits> };
export type ProxyReady = { certificatePem: string };

void run();

/** A proxy alone in its process: `api.test` is allowed, a secret is bound to `bound.test`, and one pinned to the bodies for `pinned.test`. */
async function run(): Promise<void> {
  const [{ socketPath, resolve, caPem, limits }] = await once(process, 'message') as [ProxySettings];
  const authority = await createAuthority();
  const secretFor = (host: string) => ({ name: `KEY_${host.length}`, hosts: [{ kind: 'exact' as const, name: host }], hostTexts: [host], value: `sk-0123456789abcdefghijklmno-${host}` });
  const secrets = mintSecrets([secretFor('bound.test'), { ...secretFor('pinned.test'), pins: { places: parsePlaces('body').places, max: 1 } }]);
  await startProxy({
    socketPath, resolve, authority, limits, ownAddresses: [], upstreamCertificates: [caPem], secrets: compileSecrets(secrets),
    policy: compilePolicy({ rules: parseRules(['api.test', 'tcp://raw.test:5432']).rules, bindings: secrets }),
    onEntry: (entry) => process.send!({ entry }),
  });
  process.send!({ certificatePem: authority.certificatePem } satisfies ProxyReady);
}
