/**
 * What the proxy costs: HTTPS through it against HTTPS direct, against squid and mitmproxy where they are installed, and against two
 * npm packages that swap placeholders, too, fetched for this.
 * Upstream, proxy and client are a process each; rounds of all routes are interleaved; medians are printed.
 *
 *   npx esbuild bench/proxy.ts --bundle --platform=node --format=cjs --log-level=error --outfile=/tmp/decoy-bench.cjs && node /tmp/decoy-bench.cjs [ROUNDS]
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePolicy } from '../src/policy/compile-policy.ts';
import { startProxy } from '../src/proxy/start-proxy.ts';
import { compileSecrets } from '../src/secrets/compile-secrets.ts';
import { mintSecrets } from '../src/secrets/mint-secrets.ts';
import { createAuthority } from '../src/trust/authority.ts';
import { collectAtOnce } from '../src/tune-process.ts';
import { startForwarder } from './forwarder.ts';
import { median } from './median.ts';
import { largeBytes, runLoad, type Load, type LoadResult, type Route } from './proxy-load.ts';
import { startNpmRivals } from './npm-rivals.ts';
import { rivalSecret, startRivals } from './proxy-rivals.ts';
import { sampleProcess } from './sample-process.ts';
import { startUpstream } from './upstream.ts';

const roles: Record<string, () => Promise<void>> = { upstream: async () => void process.send!(await startUpstream()), proxy: runProxy, forwarder: runForwarder, client: runClient };
void (roles[process.argv[2] ?? ''] ?? (() => compare(Number(process.argv[2] ?? 5))))();

async function compare(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'decoy-bench-'));
  const children: ChildProcess[] = [];
  const start = async (role: string, settings: unknown) => {
    const child = fork(process.argv[1]!, [role]);
    children.push(child);
    child.send(settings as object);
    return { child, ready: (await once(child, 'message'))[0] as { port: number; caPem: string; placeholder?: string } };
  };
  try {
    const { ready: { port, caPem } } = await start('upstream', {});
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, caPem);
    const proxies: Record<string, ChildProcess> = {};
    const routes = new Map<string, Route>([['direct', { kind: 'direct', port }]]);
    for (const [name, secretHost] of [['decoy', null], ['decoy, a secret for another host', 'api.example.com'], ['decoy, swapped and scrubbed', 'localhost']] as const) {
      const socketPath = join(folder, `${secretHost}.sock`);
      const { child, ready } = await start('proxy', { socketPath, port, secretHost, caPem });
      proxies[name] = child;
      routes.set(name, { kind: 'decoy', socketPath, ...(secretHost === 'localhost' ? { authorization: `Bearer ${ready.placeholder}` } : {}) });
    }
    const forwarder = await start('forwarder', { port, caPem });
    proxies['Node alone, forwarding'] = forwarder.child;
    routes.set('Node alone, forwarding', { kind: 'direct', port: forwarder.ready.port });
    const started = [await startRivals(folder, caFile), await startNpmRivals({ folder, caFile })];
    const missing = started.flatMap((some) => some.missing);
    for (const { name, process: child, proxyPort, authorization } of started.flatMap((some) => some.rivals)) {
      children.push(child);
      proxies[name] = child;
      routes.set(name, { kind: 'connect', proxyPort, port, ...(authorization === undefined ? {} : { authorization }) });
    }
    const { child: client } = await start('client', {});
    for (const name of missing) console.log(`${name}: not installed`);
    for (const load of [{ task: 'small', connections: 1, seconds: 1 }, { task: 'small', connections: 32, seconds: 1 }, { task: 'down', connections: 1, seconds: 0 }, { task: 'up', connections: 1, seconds: 0 }] as const) {
      await measure(load, { rounds, routes, client, proxies });
    }
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a program that was just started needs until all of its code is compiled. */
const WARM_UP_SECONDS = 2;

type Measurement = { rounds: number; routes: Map<string, Route>; client: ChildProcess; proxies: Record<string, ChildProcess> };

async function measure(load: Omit<Load, 'route'>, { rounds, routes, client, proxies }: Measurement): Promise<void> {
  const results = new Map<string, number[]>([...routes.keys()].map((name) => [name, []]));
  const growth = new Map<string, number>();
  const cpu = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const [name, route] of routes) {
      if (!results.has(name)) continue;
      const proxy = proxies[name];
      const sampling = proxy === undefined ? null : sampleProcess(proxy.pid!);
      client.send({ ...load, seconds: round === 0 ? load.seconds + WARM_UP_SECONDS : load.seconds, route });
      const [result] = await once(client, 'message') as [LoadResult | { error: string }];
      if ('error' in result) {
        sampling?.stop();
        console.log(`${name}: left out of the next table: ${result.error.split('\n', 1)[0]}`);
        results.delete(name);
        continue;
      }
      const sampled = sampling?.stop();
      // The first round warms up.
      if (round === 0) continue;
      results.get(name)!.push(load.task === 'small' ? result.requestsPerSecond : result.bytesPerSecond / (1 << 20));
      if (sampled === undefined) continue;
      growth.set(name, Math.max(growth.get(name) ?? 0, sampled.grownBytes));
      cpu.set(name, [...(cpu.get(name) ?? []), sampled.cpuSeconds / result.requests]);
    }
  }
  const unit = load.task === 'small' ? 'requests/s' : 'MiB/s';
  const title = load.task === 'small' ? `small GETs, ${load.connections} at once` : `${largeBytes >> 20} MiB ${load.task}`;
  console.log(`\n${title} (median of ${rounds})`);
  const direct = median(results.get('direct')!);
  for (const [name, values] of results) {
    const grown = growth.has(name)
      ? `  ${(median(cpu.get(name)!) * (load.task === 'small' ? 1e6 : 1e3)).toFixed(0).padStart(5)} ${load.task === 'small' ? 'µs' : 'ms'} CPU each, memory +${Math.round(growth.get(name)! / (1 << 20))} MiB at most`
      : '';
    console.log(`  ${name.padEnd(34)} ${median(values).toFixed(0).padStart(7)} ${unit}  ${(median(values) / direct).toFixed(2)} of direct${grown}`);
  }
}

async function runProxy(): Promise<void> {
  const [{ socketPath, port, secretHost, caPem }] = await once(process, 'message') as [{ socketPath: string; port: number; secretHost: string | null; caPem: string }];
  collectAtOnce();
  const host = { kind: 'exact', name: 'localhost' } as const;
  const secrets = secretHost === null ? [] : mintSecrets([{ name: 'KEY', hosts: [{ kind: 'exact', name: secretHost }], hostTexts: [secretHost], value: rivalSecret }]);
  await startProxy({
    socketPath,
    policy: compilePolicy({ rules: [{ kind: 'http', text: 'localhost', methods: null, host, port: null, path: null }], bindings: [] }),
    secrets: compileSecrets(secrets),
    resolve: [{ host: 'localhost', port: 443, address: '127.0.0.1', addressPort: port }],
    authority: await createAuthority(),
    ownAddresses: [],
    upstreamCertificates: [caPem],
    onEntry: () => undefined,
  });
  process.send!({ placeholder: secrets[0]?.placeholder });
}

async function runForwarder(): Promise<void> {
  const [settings] = await once(process, 'message') as [{ port: number; caPem: string }];
  collectAtOnce();
  process.send!(await startForwarder(settings));
}

async function runClient(): Promise<void> {
  process.send!({});
  process.on('message', (load: Load & { route?: Route }) => {
    if (load.route !== undefined) {
      runLoad(load).then((result) => process.send!(result), (error: unknown) => process.send!({ error: String(error) }));
    }
  });
  await once(process, 'disconnect');
}
