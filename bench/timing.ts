/**
 * An attack on the search for secrets by the time it takes: what a sandbox learns of a value it does not know, from requests to a host of its
 * own, whose bodies hold guesses that would all be passed on. It knows how the search works, and is given each time what comes before the part it guesses. The upstream
 * and the proxy are a process each, all on loopback. Two minutes at the most.
 *
 *   npx esbuild bench/timing.ts --bundle --platform=node --format=cjs --target=node20 --log-level=error --outfile=/tmp/decoy-bench.cjs && node /tmp/decoy-bench.cjs
 */
import { once } from 'node:events';
import https from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { compilePolicy } from '../src/policy/compile-policy.ts';
import { parseRules } from '../src/policy/parse-rules.ts';
import { startProxy } from '../src/proxy/start-proxy.ts';
import { compileSecrets } from '../src/secrets/compile-secrets.ts';
import { mintSecrets } from '../src/secrets/mint-secrets.ts';
import { createAuthority } from '../src/trust/authority.ts';
import { openTls } from '../test/proxy/gateway-client.ts';
import { median } from './median.ts';
import { openRoles } from './start-roles.ts';

type Attack = {
  /** what is guessed */
  name: string;
  guesses: { right: string; wrong: string; wrongToo: string };
  bodyOf(guess: string): Buffer;
};

const value = 'sk-Xq7vT2mB9cRk4WzP8nLdJy5s';
const hexOf = (text: string) => Buffer.from(text).toString('hex');
const valueInHex = hexOf(value);
const bodyBytes = 1 << 20;
const httpChunkBytes = 16_000;
const secondsEach = 25;

const attacks: readonly Attack[] = [
  {
    name: 'its tenth character, with nine known: each chunk ends with the guess',
    guesses: guessesOf('mhg', (letter) => value.slice(0, 9) + letter),
    bodyOf: (guess) => chunked(Array.from({ length: 8_000 }, () => `${'.'.repeat(40)}${guess}`)),
  },
  {
    name: 'its last two characters, as four hexadecimal digits',
    guesses: { right: valueInHex.slice(-4), wrong: '4b71', wrongToo: '6a39' },
    bodyOf: repeated,
  },
  {
    name: 'a hexadecimal digit in its middle, with all before it and the last 16 known',
    guesses: guessesOf(`${valueInHex[20]!}05`, (digit) => valueInHex.slice(0, 20) + digit),
    bodyOf: (guess) => repeated(`${guess.padEnd(valueInHex.length - 16, '.')}${valueInHex.slice(-16)}`),
  },
  {
    name: 'its tenth character, with nine and the last eight known',
    guesses: guessesOf('mhg', (letter) => value.slice(0, 9) + letter),
    bodyOf: (guess) => repeated(`${guess.padEnd(value.length - 8, '.')}${value.slice(-8)}`),
  },
];

const inRole: Record<string, () => Promise<void>> = { upstream: runUpstream, proxy: runProxy };
void (inRole[process.argv[2] ?? ''] ?? measure)();

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'decoy-bench-'));
  using roles = openRoles();
  try {
    const { ready: { port, caPem } } = await roles.start<{ port: number; caPem: string }>('upstream', {});
    const socketPath = join(folder, 'proxy.sock');
    await roles.start('proxy', { socketPath, port, caPem });
    const socket = openTls({ socketPath, host: 'localhost', port: 443 }, { rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    for (const attack of attacks) await perform(socket, attack);
    socket.destroy();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The right guess and two wrong ones in turn, in another order each round, so that what else the machine does falls on all alike. */
async function perform(socket: TLSSocket, { name, guesses: { right, wrong, wrongToo }, bodyOf }: Attack): Promise<void> {
  const bodies = [right, wrong, wrongToo].map(bodyOf);
  const [byRight, byWrong]: [number[], number[]] = [[], []];
  const until = performance.now() + secondsEach * 1000;
  while (performance.now() < until) {
    const times: number[] = [];
    for (const index of shuffled(bodies.length)) times[index] = await send(socket, bodies[index]!);
    byRight.push(times[0]! - times[1]!);
    byWrong.push(times[2]! - times[1]!);
  }
  console.log(`${name}:\n  ${byRight.length} rounds; slower than a wrong guess: the right one ${render(byRight)}, another wrong one ${render(byWrong)}`);
}

/** The median, and how far the number of rounds above zero is from half of them: beyond 3 deviations it is hardly chance. */
function render(differences: readonly number[]): string {
  const above = differences.filter((difference) => difference > 0).length;
  return `${(median(differences) * 1000).toFixed(0)} µs (${((2 * above - differences.length) / Math.sqrt(differences.length)).toFixed(1)} deviations)`;
}

async function send(socket: TLSSocket, body: Buffer): Promise<number> {
  const started = performance.now();
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
  socket.write(body);
  const [answer] = await once(socket, 'data') as [Buffer];
  if (!answer.toString('latin1').startsWith('HTTP/1.1 204')) throw new Error(`the guess was not passed on: ${answer.toString('latin1').slice(0, 300)}`);
  return performance.now() - started;
}

function repeated(text: string): Buffer {
  const whole = text.repeat(Math.ceil(bodyBytes / text.length));
  return chunked(Array.from({ length: Math.ceil(whole.length / httpChunkBytes) }, (_, at) => whole.slice(at * httpChunkBytes, (at + 1) * httpChunkBytes)));
}

function chunked(chunks: readonly string[]): Buffer {
  return Buffer.from(`${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`, 'latin1');
}

/** @param choices the right one first */
function guessesOf(choices: string, write: (choice: string) => string): Attack['guesses'] {
  const [right, wrong, wrongToo] = Array.from(choices, write) as [string, string, string];
  return { right, wrong, wrongToo };
}

function shuffled(count: number): number[] {
  return Array.from({ length: count }, (_, index) => ({ index, key: Math.random() })).toSorted((a, b) => a.key - b.key).map(({ index }) => index);
}

async function runUpstream(): Promise<void> {
  const authority = await createAuthority();
  const server = https.createServer({ SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done) }, (request, response) => {
    request.resume().on('end', () => response.writeHead(204).end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.send!({ port: (server.address() as AddressInfo).port, caPem: authority.certificatePem });
}

async function runProxy(): Promise<void> {
  const [{ socketPath, port, caPem }] = await once(process, 'message') as [{ socketPath: string; port: number; caPem: string }];
  const secrets = mintSecrets([{ name: 'KEY', hosts: [{ kind: 'exact', name: 'bound.example' }], hostTexts: ['bound.example'], value }]);
  await startProxy({
    socketPath, policy: compilePolicy({ rules: parseRules(['localhost']).rules, bindings: secrets }), secrets: compileSecrets(secrets),
    resolve: [{ host: 'localhost', port: 443, address: '127.0.0.1', addressPort: port }],
    authority: await createAuthority(), ownAddresses: [], upstreamCertificates: [caPem], onEntry: () => undefined,
  });
  process.send!({});
}
