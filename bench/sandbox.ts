/**
 * What code in the sandbox gets: HTTPS through sandbox, gateway and proxy against HTTPS from the host itself, to one upstream.
 * Each round is a `decoy run` of its own, in turn with the host's; medians, and the growth of Decoy's own memory, are printed.
 *
 *   npx esbuild bench/sandbox.ts --bundle --platform=node --format=cjs --log-level=error --outfile=/tmp/decoy-bench.cjs && node /tmp/decoy-bench.cjs dist/cli.js CLIENT.mjs [ROUNDS]
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { median } from './median.ts';
import { largeBytes, runLoad, type Load, type LoadResult, type Route } from './proxy-load.ts';
import { sampleProcess } from './sample-process.ts';
import { startUpstream } from './upstream.ts';

const host = 'api.example.test';
const loads = [
  // Each run is a proxy and a client that were just started, so their first two seconds are not measured.
  { task: 'small', connections: 1, warmUpSeconds: 2, seconds: 2 }, { task: 'small', connections: 32, warmUpSeconds: 2, seconds: 2 },
  // Without a warm-up: what memory grows by is asked from the first byte on. Several transfers, so that the first is not all there is.
  { task: 'down', connections: 1, seconds: 2 }, { task: 'up', connections: 1, seconds: 2 },
] as const satisfies Omit<Load, 'route'>[];

type Measured = LoadResult & { cpuSeconds?: number; grownBytes?: number };
type Variant = { name: string; measure(): Promise<Measured[]> };

void (process.argv[2] === 'upstream' ? startUpstream().then((ready) => process.send!(ready)) : compare(process.argv.slice(2)));

async function compare([cli, client, rounds = '5']: string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'decoy-bench-'));
  const upstream = fork(process.argv[1]!, ['upstream']);
  try {
    const [{ port, caPem }] = await once(upstream, 'message') as [{ port: number; caPem: string }];
    writeFileSync(join(folder, 'ca.pem'), caPem);
    copyFileSync(client!, join(folder, 'client.mjs'));
    const inSandbox = (options: string[], authorization?: string) => measureInSandbox({
      cli: resolve(cli!), folder, route: { kind: 'sandbox', host, ...(authorization === undefined ? {} : { authorization }) },
      options: [...options, '--resolve', `${host}:443:127.0.0.1:${port}`],
    });
    const variants: Variant[] = [
      { name: 'direct, from the host', measure: () => inTurn({ kind: 'direct', port }) },
      { name: 'from the sandbox', measure: () => inSandbox(['--allow', host]) },
      { name: 'from the sandbox, secret swapped, answers scrubbed', measure: () => inSandbox(['--secret', `KEY@${host}`], 'Bearer $KEY') },
    ];
    const results = new Map<string, Measured[][]>(variants.map(({ name }) => [name, []]));
    for (let round = 0; round < Number(rounds); round++) {
      for (const { name, measure } of variants) results.get(name)!.push(await measure());
    }
    loads.forEach((load, at) => print(load, new Map([...results].map(([name, rows]) => [name, rows.map((row) => row[at]!)]))));
  } finally {
    upstream.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inTurn(route: Route): Promise<Measured[]> {
  const results: Measured[] = [];
  for (const load of loads) results.push(await runLoad({ ...load, route }));
  return results;
}

type SandboxRun = { cli: string; folder: string; route: Route; options: string[] };

async function measureInSandbox({ cli, folder, route, options }: SandboxRun): Promise<Measured[]> {
  const argument = JSON.stringify(loads.map((load) => ({ ...load, route })));
  // The shell puts the placeholder where the argument says $KEY.
  const script = `node client.mjs "${argument.replaceAll('"', '\\"')}"`;
  const decoy: ChildProcess = spawn(process.execPath, [cli, 'run', '--quiet', '--workspace', 'read-only', ...options, '--', 'sh', '-c', script], {
    cwd: folder, stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'), KEY: 'sk-0123456789abcdefghijklmnopqrstuvwxyz0123' },
  });
  const ended = once(decoy, 'close');
  const results: Measured[] = [];
  let sampling: ReturnType<typeof sampleProcess> | null = null;
  for await (const line of createInterface(decoy.stdout!)) {
    const message = JSON.parse(line) as LoadResult | { begins: true };
    if ('begins' in message) sampling = sampleProcess(decoy.pid!);
    else results.push({ ...message, ...sampling!.stop() });
  }
  const [code] = await ended as [number | null];
  if (code !== 0) throw new Error(`decoy ended with ${code}`);
  return results;
}

function print(load: Omit<Load, 'route'>, results: Map<string, Measured[]>): void {
  const isSmall = load.task === 'small';
  const speed = (row: Measured) => (isSmall ? row.requestsPerSecond : row.bytesPerSecond / 2 ** 20);
  console.log(`\n${isSmall ? `small GETs, ${load.connections} at once` : `${largeBytes >> 20} MiB ${load.task}`} (median of ${[...results.values()][0]!.length})`);
  const direct = [...results.values()][0]!.map(speed);
  for (const [name, rows] of results) {
    const grown = rows[0]!.grownBytes === undefined
      ? '' : `  ${(median(rows.map((row) => row.cpuSeconds! / row.requests)) * (isSmall ? 1e6 : 1e3)).toFixed(0)} ${isSmall ? 'µs' : 'ms'} of Decoy's CPU each, memory +${Math.round(Math.max(...rows.map((row) => row.grownBytes!)) / 2 ** 20)} MiB at most`;
    const ratio = median(rows.map((row, round) => speed(row) / direct[round]!));
    console.log(`  ${name.padEnd(52)} ${median(rows.map(speed)).toFixed(0).padStart(6)} ${isSmall ? 'requests/s' : 'MiB/s'}  ${ratio.toFixed(2)} of direct${grown}`);
  }
}
