import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import { startProxy } from '../../src/proxy/start-proxy.ts';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { openPlain } from './gateway-client.ts';

export type Attempt = { name: string; outcome: string };

const [A, CNAME, AAAA] = [1, 5, 28] as const;
type Record = readonly [type: typeof A | typeof CNAME | typeof AAAA, data: string];

/** Public here: the namespace has it on its loopback interface. */
const there = '203.0.113.9';
const port = 5432;

let asked = 0;
const zone: { [name: string]: () => readonly Record[] } = {
  'there.test': () => [[A, there]],
  'twin.test': () => [[A, there]],
  'chain.test': () => [[CNAME, 'link.test'], [CNAME, 'there.test'], [A, there]],
  // A resolver asks for A and AAAA at the same time: two questions each time.
  'turns.test': () => [[A, (asked++ >> 1) % 2 === 0 ? there : '127.0.0.1']],
  'both.test': () => [[A, '127.0.0.1'], [A, there], [A, '10.0.0.1']],
  'loopback.test': () => [[A, '127.0.0.1']],
  'private.test': () => [[A, '10.0.0.1']],
  'metadata.test': () => [[A, '169.254.169.254']],
  'chain-inside.test': () => [[CNAME, 'link.test'], [CNAME, 'private.test'], [A, '10.0.0.1']],
  'localhost-by-name.test': () => [[CNAME, 'localhost'], [A, '127.0.0.1']],
  'mapped.test': () => [[AAAA, '0000:0000:0000:0000:0000:ffff:7f00:0001']],
  'nat64.test': () => [[AAAA, '0064:ff9b:0000:0000:0000:0000:7f00:0001']],
  'sixtofour.test': () => [[AAAA, '2002:7f00:0001:0000:0000:0000:0000:0001']],
  'unspecified.test': () => [[A, '0.0.0.0']],
};

void run();

/** In a network of its own, whose resolver is asked in resolv.conf: opens a raw connection to each name, and prints where it ended up. */
async function run(): Promise<void> {
  await serveZone();
  const bait = createServer((socket) => void socket.on('error', () => undefined).end(`${socket.localAddress}`));
  await once(bait.listen(port, '::'), 'listening');
  const entries: AuditEntry[] = [];
  const socketPath = process.argv[2]!;
  await startProxy({
    socketPath, resolve: [], authority: await createAuthority(), ownAddresses: ['127.0.0.1'], secrets: compileSecrets([]),
    policy: compilePolicy({ rules: parseRules(Object.keys(zone).map((name) => `tcp://${name}:${port}`)).rules, bindings: [] }),
    onEntry: (entry) => void entries.push(entry),
  });
  const attempts: Attempt[] = [];
  for (const name of Object.keys(zone)) {
    for (let time = 0; time < (name === 'turns.test' ? 6 : 1); time += 1) {
      const count = entries.length;
      const heard = await textOf(openPlain({ socketPath, host: name, port }));
      while (entries.length === count) await new Promise((resolve) => setTimeout(resolve, 10));
      attempts.push({ name, outcome: heard || `${entries.at(-1)!.reason}` });
    }
  }
  process.stdout.write(JSON.stringify(attempts), () => process.exit());
}

async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  return String(Buffer.concat(chunks));
}

/** A DNS server that says of everything that it holds for no time at all. */
async function serveZone(): Promise<void> {
  const server = createSocket('udp4');
  server.on('message', (query, { port: from, address }) => server.send(answer(query), from, address));
  server.bind(53, '127.0.0.1');
  await once(server, 'listening');
}

/** RFC 1035, section 4. */
function answer(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (; query[at]! > 0; at += 1 + query[at]!) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
  const name = labels.join('.').toLowerCase();
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(12, at + 5);
  const records = (zone[name]?.() ?? []).filter(([kind]) => kind === type || kind === CNAME);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(0x8580, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  let owner = name;
  const written = records.map(([kind, data]) => {
    const record = Buffer.concat([encodeName(owner), Buffer.from([0, kind, 0, 1, 0, 0, 0, 0])]);
    if (kind === CNAME) owner = data;
    const bytes = kind === CNAME ? encodeName(data) : Buffer.from(kind === A ? data.split('.').map(Number) : [...Buffer.from(data.replaceAll(':', ''), 'hex')]);
    return Buffer.concat([record, Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  });
  return Buffer.concat([header, question, ...written]);
}

function encodeName(name: string): Buffer {
  return Buffer.concat([...name.split('.').map((label) => Buffer.from(String.fromCharCode(label.length) + label, 'latin1')), Buffer.from([0])]);
}
