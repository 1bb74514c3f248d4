import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { onHost } from './support/on-host.ts';
import { startDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace, probes } from './support/workspace.ts';

// I1, I2
const secret = `sk-${randomBytes(9).toString('base64')}+/=~${randomBytes(18).toString('base64url')}`;
const canary = `canary-${randomBytes(24).toString('hex')}`;

type Found = { files: number; processes: number; hits: [string, number, string][] };

test('neither the sandbox nor docker inspect nor a process of the host, the report or the audit log holds the real value', async () => {
  await using workspace = await openWorkspace();
  plant(workspace.path, canary);
  const gate = openGate();
  await using upstream = await startUpstream(async (request, response) => {
    if (request.url === '/wait') await gate.opened;
    // What comes back is written to a file in the sandbox: a copy of all that was sent.
    response.end(JSON.stringify(request.headers));
  });
  const script = `
    curl -sS -o /tmp/answer -H "Authorization: Bearer $API_KEY" "https://api.example.test/echo?q=query-value"
    curl -sS -o /dev/null -H "X-Note: header-value" -d body-value https://api.example.test/wait?q=query-value
    python3 probes/search.py / ${masked(secret)} ${masked(canary)} > found.json
    echo "FOUND $(cat found.json)"; cat /tmp/answer; echo; echo "PLACEHOLDER $API_KEY"`;
  const running = startDecoy(
    ['--quiet', '--secret', 'API_KEY@api.example.test', '--env', `CANARY=${canary}`, ...upstream.resolve('api.example.test'), '--', 'sh', '-c', script],
    { cwd: workspace.path, env: { ...upstream.env, API_KEY: secret, OTHER_VARIABLE_OF_THE_HOST: `host-${canary}` } },
  );
  // The sandbox waits for an answer: everything of the run is there to be looked at.
  await until(() => upstream.received.some(({ url }) => url.startsWith('/wait')), running.ended);
  const inspected = await inspectEverything();
  const hostProcesses = readHostProcesses();
  gate.open();
  const end = await running.ended;

  expect(end, end.stderr).toMatchObject({ exitCode: 0, report: { conclusion: 'success' } });
  const found = JSON.parse(/^FOUND (.*)$/m.exec(end.stdout)![1]!) as Found;
  expect(found.hits.filter(([, number]) => number === 0)).toEqual([]);
  expect(found.files).toBeGreaterThan(100);
  expect(found.processes).toBeGreaterThan(2);
  // The same search finds what is there: in the environment, and in every form in the workspace.
  const canaries = found.hits.filter(([, number]) => number === 1);
  expect(canaries.some(([where]) => /^\/proc\/\d+\/environ$/.test(where))).toBe(true);
  expect(new Set(canaries.filter(([where]) => where.startsWith(workspace.path)).map(([, , form]) => form))).toEqual(new Set(allForms));
  expect(end.stdout).not.toContain(`host-${canary}`);

  // The upstream had the real value, and its echo came back as the placeholder.
  expect(upstream.received[0]!.headers).toContain(`Bearer ${secret}`);
  const placeholder = /^PLACEHOLDER (.*)$/m.exec(end.stdout)![1]!;
  expect(end.stdout).toContain(`"authorization":"Bearer ${placeholder}"`);

  for (const kind of ['gateway', 'keeper', 'sandbox']) expect(inspected).toContain(`decoy-${end.report!.id}-${kind}`);
  expect(formsIn(inspected, secret)).toEqual([]);
  expect(formsIn(inspected, placeholder)).toEqual([]);
  expect(hostProcesses.filter(({ text }) => text.includes(secret)).map(({ where }) => where)).toEqual([]);
  // The same look finds what is on a command line.
  expect(hostProcesses.some(({ text }) => text.includes(canary))).toBe(true);

  const records = end.reportText + end.auditLog + end.stderr;
  for (const text of [secret, placeholder]) expect(formsIn(records, text)).toEqual([]);
  for (const text of ['query-value', 'header-value', 'body-value']) expect(records).not.toContain(text);
  expect(end.auditLog).toContain('"path":"/wait"');
}, 60_000);

test('the search finds a value in every form where it is not kept away', async () => {
  await using workspace = await openWorkspace();
  plant(workspace.path, secret);
  const { stdout } = await onHost(['/usr/bin/python3', path.join(probes, 'search.py'), workspace.path, masked(secret)]);
  const found = JSON.parse(stdout) as Found;
  expect(new Set(found.hits.map(([, , form]) => form))).toEqual(new Set(allForms));
});

const allForms = ['raw', 'hex', 'HEX', 'percent', 'percent-lower', 'reversed', ...[0, 1, 2].flatMap((n) => [`base64-${n}`, `base64url-${n}`])];

/** Files with the value in every form; the environment of the sandbox's command holds it too. */
function plant(folder: string, value: string): void {
  const planted = path.join(folder, 'planted/deep');
  mkdirSync(planted, { recursive: true });
  const bytes = Buffer.from(value);
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
  const texts = [
    value, bytes.toString('hex'), bytes.toString('hex').toUpperCase(), percent, percent.toLowerCase(), [...value].reverse().join(''),
    ...['', 'x', 'xy'].flatMap((before) => [Buffer.from(`${before}${value}tail`).toString('base64'), Buffer.from(`${before}${value}tail`).toString('base64url')]),
  ];
  texts.forEach((text, index) => writeFileSync(path.join(planted, `.file-${index}`), `before ${text} after`));
}

function masked(value: string): string {
  return Buffer.from([...Buffer.from(value)].map((byte) => byte ^ 0x5a)).toString('hex');
}

function formsIn(text: string, value: string): string[] {
  const bytes = Buffer.from(value);
  return [value, bytes.toString('hex'), bytes.toString('base64').replace(/=*$/, '').slice(0, -1), encodeURIComponent(value)].filter((form) => text.includes(form));
}

async function inspectEverything(): Promise<string> {
  const containers = (await docker(['ps', '-aq', '--filter', 'label=decoy.run'])).stdout.split('\n').filter(Boolean);
  const volumes = (await docker(['volume', 'ls', '-q', '--filter', 'label=decoy.run'])).stdout.split('\n').filter(Boolean);
  const images = (await docker(['images', '-q', 'decoy-root'])).stdout.split('\n').filter(Boolean);
  const texts = await Promise.all([
    docker(['inspect', ...containers]), docker(['volume', 'inspect', ...volumes]), docker(['image', 'inspect', ...images]),
    ...containers.map((id) => docker(['logs', id])),
  ]);
  return texts.map(({ stdout, stderr }) => stdout + stderr).join('\n');
}

function readHostProcesses(): { where: string; text: string }[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => ['cmdline', 'environ'].flatMap((file) => {
    const where = `/proc/${pid}/${file}`;
    try {
      return [{ where, text: readFileSync(where, 'latin1') }];
    } catch {
      return [];
    }
  }));
}

function openGate(): { opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => { open = resolve; });
  return { opened, open };
}

async function until(condition: () => boolean, ended: Promise<unknown>): Promise<void> {
  let over = false;
  void ended.then(() => { over = true; });
  while (!condition()) {
    if (over) throw new Error('Decoy ended too early', { cause: await ended });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
