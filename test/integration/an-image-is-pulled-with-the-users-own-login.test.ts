import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { footprint } from './support/footprint.ts';
import { runDecoy, startDecoy } from './support/run-decoy.ts';
import { startRegistry, type Registry } from './support/start-registry.ts';
import { busybox, file, openTestImage, type TestImage } from './support/test-image.ts';

const login = { username: 'decoy-user', password: 'the-registrys-password' };
const token = Buffer.from(`${login.username}:${login.password}`).toString('base64');
let folder: string;
let image: TestImage;
let open: Registry;
let closed: Registry;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'decoy-pull-'));
  image = openTestImage({ entries: [...busybox('sh', 'env', 'echo', 'cat'), file('seed', `${Math.random()}`)] });
  [open, closed] = await Promise.all([startRegistry(), startRegistry({ login })]);
  await Promise.all([open, closed].map((registry) => registry.push(image.reference, 'team/tools:1.0')));
}, 60_000);
afterAll(async () => {
  await forget();
  await Promise.all([open[Symbol.asyncDispose](), closed[Symbol.asyncDispose](), image[Symbol.asyncDispose]()]);
  rmSync(folder, { recursive: true });
});

/** What a test pulled, and the image it was made from: else the engine has its layers already. */
async function forget(): Promise<void> {
  const { stdout } = await docker(['images', '--digests', '--format', '{{.Repository}} {{.Tag}} {{.Digest}}']);
  const names = stdout.split('\n').map((line) => line.split(' ')).filter(([repository]) => [open, closed].some(({ host }) => repository?.startsWith(`${host}/`)));
  for (const [repository, tag, digest] of names) await docker(['rmi', '-f', tag === '<none>' ? `${repository}@${digest}` : `${repository}:${tag}`]);
  for (const registry of [open, closed]) registry.asked.length = 0;
}

function configured(name: string, config: object): { DOCKER_CONFIG: string } {
  const directory = path.join(folder, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
  return { DOCKER_CONFIG: directory };
}

const run = (reference: string, env: Record<string, string> = {}) => runDecoy(['--image', reference, '--workspace', 'none', '--', 'sh', '-c', 'echo ran; env; cat /proc/self/mountinfo'], { env });

test('what the engine lacks is pulled, once, and the report says exactly what ran', async () => {
  await forget();
  const reference = `${open.host}/team/tools:1.0`;
  const end = await run(reference);
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^ran\n/), report: { image: reference, imageDigest: expect.stringMatching(new RegExp(`^${open.host}/team/tools@sha256:[0-9a-f]{64}$`)) } });
  expect(end.stderr).toMatch(new RegExp(`^decoy: pulling ${reference}\n`));
  expect(end.stderr).toContain(end.report!.imageDigest!);
  expect(open.asked.length).toBeGreaterThan(2);

  // A second time the registry is not asked, nor need it be there.
  open.asked.length = 0;
  const again = await run(reference);
  expect(again).toMatchObject({ exitCode: 0, report: { imageDigest: end.report!.imageDigest } });
  expect(again.stderr).not.toContain('pulling');
  expect(open.asked).toEqual([]);

  const [, digest] = end.report!.imageDigest!.split('@');
  for (const exact of [end.report!.imageDigest!, `${reference}@${digest}`]) {
    await forget();
    const byDigest = await run(exact);
    expect(byDigest, byDigest.stderr).toMatchObject({ exitCode: 0, report: { image: exact, imageDigest: end.report!.imageDigest } });
  }
}, 120_000);

test.each<[string, (host: string) => Record<string, string>]>([
  ['of `docker login`', (host) => configured('auths', { auths: { [host]: { auth: token } } })],
  ['of a credential helper', (host) => {
    const helpers = path.join(folder, 'helpers');
    mkdirSync(helpers, { recursive: true });
    const helper = path.join(helpers, 'docker-credential-decoy-test');
    writeFileSync(helper, `#!/bin/sh\nread server\n[ "$1 $server" = "get ${host}" ] || { echo credentials not found in native keychain; exit 1; }\necho '${JSON.stringify({ ServerURL: host, Username: login.username, Secret: login.password })}'\n`);
    chmodSync(helper, 0o755);
    return { ...configured('helped', { credHelpers: { [host]: 'decoy-test' } }), PATH: `${helpers}:${process.env['PATH']}` };
  }],
  ['in the home directory', (host) => {
    const { DOCKER_CONFIG } = configured('home/.docker', { auths: { [`http://${host}/v2/`]: { username: login.username, password: login.password } } });
    return { HOME: path.dirname(DOCKER_CONFIG) };
  }],
])('the login %s opens the registry, and shows nowhere', async (_, env) => {
  await forget();
  const end = await run(`${closed.host}/team/tools:1.0`, { ...env(closed.host), DEBUG: '*' });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  // The control: the registry was given it.
  expect(closed.asked.some(({ authorization }) => authorization === `Basic ${token}`)).toBe(true);
  const seen = `${end.stdout}${end.stderr}${end.reportText}${end.auditLog}`;
  for (const form of [login.password, token, Buffer.from(JSON.stringify(login.password)).toString('base64').slice(4, 20)]) expect(seen).not.toContain(form);
}, 120_000);

test.each<[string, (hosts: { open: string; closed: string }) => string, string, object?]>([
  ['no such tag', ({ open: host }) => `${host}/team/tools:2.0`, 'there is no such image; check the name and the tag'],
  ['no such name', ({ open: host }) => `${host}/team/nothing`, 'there is no such image; check the name and the tag'],
  ['no login', ({ closed: host }) => `${host}/team/tools:1.0`, 'check the name, or log in before with `docker login 127.0.0.1:'],
  ['a wrong login', ({ closed: host }) => `${host}/team/tools:1.0`, 'as the login there is was refused', { password: 'another-password' }],
  ['a registry that is not there', () => '127.0.0.1:9/team/tools:1.0', 'see that the engine reaches 127.0.0.1:9, or pull it before with `docker pull`'],
])('%s: the error quotes the reference and says what to do, and nothing is left', async (_, choose, remedy, wrong) => {
  await forget();
  const reference = choose({ open: open.host, closed: closed.host });
  const env: Record<string, string> = wrong === undefined ? {} : configured('wrong', { auths: { [closed.host]: { username: login.username, ...wrong } } });
  const end = await run(reference, env);
  expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', image: reference } });
  expect(end.report!.error).toMatch(new RegExp(`^cannot pull "${reference}" \\(.+\\): `, 's'));
  expect(end.report!.error).toContain(remedy);
  expect(`${end.stderr}${end.reportText}`).not.toContain('another-password');
  expect(await footprint(end.report!.id)).toEqual([]);
}, 60_000);

test('an image for another platform is refused before anything starts', async () => {
  const other = process.arch === 'arm64' ? 'amd64' : 'arm64';
  const saved = path.join(folder, 'saved');
  mkdirSync(saved);
  const archive = path.join(folder, 'saved.tar');
  const reference = `decoy-test-platform-${path.basename(folder).toLowerCase()}:1`;
  await docker(['save', '-o', archive, image.reference]);
  const { execFileSync } = await import('node:child_process');
  execFileSync('tar', ['-C', saved, '-xf', archive]);
  const manifest = JSON.parse(readFileSync(path.join(saved, 'manifest.json'), 'utf8')) as [{ Config: string; RepoTags: string[]; Layers: string[] }];
  const config = JSON.parse(readFileSync(path.join(saved, manifest[0].Config), 'utf8')) as { architecture: string };
  writeFileSync(path.join(saved, 'other.json'), JSON.stringify({ ...config, architecture: other }));
  writeFileSync(path.join(saved, 'manifest.json'), JSON.stringify([{ ...manifest[0], Config: 'other.json', RepoTags: [reference] }]));
  rmSync(path.join(saved, 'repositories'), { force: true });
  execFileSync('tar', ['-C', saved, '-cf', archive, ...readdirSync(saved)]);
  await docker(['load', '-i', archive]);
  const end = await run(reference);
  await docker(['rmi', reference]);
  expect(end).toMatchObject({ exitCode: 125, report: { error: expect.stringContaining(`the image "${reference}" is made for linux/${other}, this machine is linux/`) } });
}, 60_000);

test('SIGTERM ends a pull at once, and nothing is left', async () => {
  await image[Symbol.asyncDispose]();
  await forget();
  const begun = closed.holdBlobs();
  const running = startDecoy(['--image', `${closed.host}/team/tools:1.0`, '--workspace', 'none', '--', 'true'], { env: configured('auths', { auths: { [closed.host]: { auth: token } } }) });
  await begun;
  running.kill('SIGTERM');
  const end = await running.ended;
  expect(end).toMatchObject({ exitCode: 143, report: { conclusion: 'cancelled' } });
  expect(await footprint(end.report!.id)).toEqual([]);
}, 60_000);
