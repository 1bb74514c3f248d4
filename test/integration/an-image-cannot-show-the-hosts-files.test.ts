import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { footprint } from './support/footprint.ts';
import { runDecoy, type DecoyEnd } from './support/run-decoy.ts';
import { busybox, directory, file, link, openTestImage, type TestImageOptions } from './support/test-image.ts';

// I3: whoever made the image may be the attacker.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'host-secret-'));
  mkdirSync(path.join(folder, 'below'));
  writeFileSync(path.join(folder, 'below', 'file'), 'of the host');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function runIn(options: TestImageOptions, script: string): Promise<DecoyEnd> {
  await using image = openTestImage({ ...options, entries: [...busybox('sh', 'cat', 'ls', 'echo', 'find'), ...options.entries] });
  const end = await runDecoy(['--quiet', '--image', image.reference, '--workspace', 'none', '--', 'sh', '-c', script]);
  expect(await footprint(end.report!.id)).toEqual([]);
  return end;
}

test.each<[string, (host: string) => TestImageOptions, string]>([
  ['a link at the root', (host) => ({ entries: [link('opt', host)] }), '/opt/below'],
  ['a VOLUME behind an absolute link', (host) => ({ entries: [link('opt', host)], changes: ['VOLUME /opt/below'] }), '/opt/below'],
  ['a VOLUME behind a link upwards', (host) => ({ entries: [link('opt/up', `../../../../../../../../../..${host}`)], changes: ['VOLUME /opt/up/below'] }), '/opt/up/below'],
  ['a VOLUME that goes up itself', (host) => ({ entries: [directory('opt')], changes: [`VOLUME /opt/../../..${host}/below`] }), '/below'],
  ['a link to /proc', (host) => ({ entries: [link('opt', `/proc/1/root${host}`)], changes: ['VOLUME /opt/below'] }), '/opt/below'],
])('%s leads to nothing of the host', async (_, options, place) => {
  const end = await runIn(options(folder), `ls -a ${place} ${folder} ${folder}/below; cat ${place}/file ${folder}/below/file; find / -xdev -name below`);
  expect(`${end.stdout}${end.stderr}`).not.toContain('of the host');
  expect(end.stdout).not.toMatch(/^file$/m);
}, 60_000);

test('the control: a VOLUME behind a link within the image shows what is there', async () => {
  const end = await runIn({ entries: [link('opt', '/srv'), file('srv/data/file', 'of the image')], changes: ['VOLUME /opt/data'] }, 'cat /opt/data/file');
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: 'of the image' });
}, 60_000);

test.each<[string, TestImageOptions, string]>([
  ['a link in the place of Decoy\'s own files', { entries: [link('decoy', '/tmp')] }, 'as its /decoy is not a directory'],
  ['a VOLUME that is the root', { entries: [], changes: ['VOLUME /'] }, 'as its VOLUME "/" would be all of its files: build it without that line'],
  ['a VOLUME in Decoy\'s own files', { entries: [], changes: ['VOLUME /decoy/sub'] }, 'as its VOLUME "/decoy/sub" lies where the sandbox\'s own mounts are'],
  ['a VOLUME behind a link to Decoy\'s own files', { entries: [link('x/y', '../decoy'), file('decoy/guest', '#!/bin/sh\necho ran\n', 0o755)], changes: ['VOLUME /x/y'] }, 'its VOLUME "/x/y"'],
  ['a VOLUME that is such a link', { entries: [link('x', 'decoy'), file('decoy/guest', '#!/bin/sh\necho ran\n', 0o755)], changes: ['VOLUME /x'] }, 'its VOLUME "/x"'],
  ['a VOLUME that is a file', { entries: [file('srv/file', 'x')], changes: ['VOLUME /srv/file'] }, 'as its VOLUME "/srv/file" is not a directory'],
  ['a VOLUME round in circles', { entries: [link('a', 'b'), link('b', 'a')], changes: ['VOLUME /a/b'] }, 'following the image\'s VOLUME "/a/b"'],
  ['a directory whose name ends a mount\'s', { entries: [directory('a:b')] }, 'as the name of its directory "/a:b" has characters other than'],
])('%s is refused, and nothing runs', async (_, options, message) => {
  const end = await runIn(options, 'echo ran');
  expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringContaining(message) } });
}, 60_000);

test('a VOLUME below a link of the workspace or of a volume does not take the place of Decoy\'s own files', async () => {
  const workspace = path.join(folder, 'workspace');
  mkdirSync(workspace);
  symlinkSync('/decoy', path.join(workspace, 'sub'));
  const programs = busybox('sh', 'echo', 'ln', 'ls');
  const init = (place: string): TestImageOptions => ({ entries: [...programs, file(`${place.slice(1)}/guest`, '#!/bin/sh\necho in place of init\n', 0o755)], changes: [`VOLUME ${place}`] });
  await using plain = openTestImage({ entries: programs });
  await using overVolume = openTestImage(init('/cache/sub'));
  await using overWorkspace = openTestImage(init(`${workspace}/sub`));
  const run = (image: string, options: string[], script: string) => runDecoy(['--quiet', '--image', image, ...options, '--', 'sh', '-c', script], { cwd: workspace, env: { DECOY_VOLUMES: path.join(folder, 'volumes') } });
  const onVolume = ['--workspace', 'none', '--volume', 'c:/cache:64m'];
  expect(await run(plain.reference, onVolume, 'ln -s ../decoy /cache/sub; ls /cache')).toMatchObject({ exitCode: 0, stdout: 'sub\n' });
  for (const end of [await run(overVolume.reference, onVolume, 'echo ran'), await run(overWorkspace.reference, [], 'echo ran')]) {
    expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringContaining('lies in the workspace or in a volume of the run') } });
  }
}, 60_000);

test('a link of the image in place of the workspace does not lead it to Decoy\'s own files', async () => {
  const workspace = path.join(folder, 'another');
  mkdirSync(workspace);
  writeFileSync(path.join(workspace, 'guest'), '#!/bin/sh\necho in place of init\n', { mode: 0o755 });
  await using image = openTestImage({ entries: [...busybox('sh', 'echo'), link(workspace.slice(1), '/decoy')] });
  const end = await runDecoy(['--quiet', '--image', image.reference, '--', 'sh', '-c', 'echo ran'], { cwd: workspace });
  expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringContaining('leads through a link or a file of the image') } });
}, 60_000);
