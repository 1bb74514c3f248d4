import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { builtRunsc, configureEngine, openRelease, readConfiguration } from './support/gvisor.ts';
import { runDecoy } from './support/run-decoy.ts';

const command = ['--quiet', '--workspace', 'none', '--runtime', 'runsc', '--', 'uname', '-v'];
const gvisorKernel = '#1 SMP Sun Jan 10 15:06:54 PST 2016\n';

let program: string;
beforeAll(async () => { program = await builtRunsc(); }, 1_500_000);

let cache: string;
let engine: AsyncDisposable;
beforeEach(async () => { cache = await mkdtemp(path.join(os.tmpdir(), 'decoy-runsc-test-')); });
afterEach(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(cache, { recursive: true, force: true });
});

test('several runs at once register it once, and keep what the engine had', async () => {
  const before = { debug: false, 'max-concurrent-downloads': 3, runtimes: { other: { path: '/usr/sbin/runc' } } };
  engine = await configureEngine({ runtimes: before.runtimes, text: JSON.stringify(before) });
  await using release = await openRelease(program);
  const ends = await Promise.all([1, 2, 3].map(() => runDecoy(command, { env: { ...release.environment, XDG_CACHE_HOME: cache } })));
  for (const end of ends) expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: gvisorKernel, report: { conclusion: 'success', runtime: 'runsc' } });
  const after = JSON.parse(readConfiguration() as string) as { runtimes: Record<string, { path: string }> };
  expect(after).toEqual({
    ...before, runtimes: { ...before.runtimes, runsc: { path: expect.stringContaining(cache), runtimeArgs: ['--network=host', '--host-uds=none', '--host-fifo=none', '--overlay2=none'] } },
  });
  // What is registered is used as it is.
  release.received.length = 0;
  expect(await runDecoy(command, { env: { ...release.environment, XDG_CACHE_HOME: path.join(cache, 'none') } })).toMatchObject({ exitCode: 0, stdout: gvisorKernel });
  expect(release.received).toEqual([]);
  rmSync(after.runtimes['runsc']!.path);
  const { report } = await runDecoy(command);
  expect(report!.error).toMatch(/^runtime: the Docker engine has "runsc" at .*, where there is nothing: put/);
}, 180_000);

test.each<[string, { digest?: string; sha512?: string; url?: string }, RegExp]>([
  ['another digest than the published one', { digest: 'a'.repeat(128) }, /^gVisor was not used: the SHA-512 of https:.*, not a{128} as its \.sha512 says/],
  ['another digest than the pinned one', { sha512: 'b'.repeat(128) }, /^gVisor was not used: the SHA-512 of https:.*, not b{128} as DECOY_RUNSC_SHA512 says/],
  ['no digest', { digest: '<html>' }, /^gVisor was not used: what https:.*\/runsc\.sha512 holds is not a SHA-512 digest/],
  ['a pin that is none', { sha512: 'abc' }, /^DECOY_RUNSC_SHA512="abc" is not a SHA-512 digest/],
  ['a place without TLS', { url: 'http://localhost/runsc' }, /^DECOY_RUNSC_URL="http:\/\/localhost\/runsc" is not an address/],
])('a program with %s is neither kept nor registered', async (_, { digest, sha512, url }, message) => {
  engine = await configureEngine({ runtimes: {} });
  const configuration = readConfiguration();
  const small = path.join(cache, 'not-gvisor');
  writeFileSync(small, '#!/bin/sh\n');
  await using release = await openRelease(small, digest === undefined ? {} : { digest });
  const env = { ...release.environment, XDG_CACHE_HOME: cache, ...(sha512 === undefined ? {} : { DECOY_RUNSC_SHA512: sha512 }), ...(url === undefined ? {} : { DECOY_RUNSC_URL: url }) };
  const end = await runDecoy(command, { env });
  expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringMatching(message) } });
  expect(readConfiguration()).toBe(configuration);
  expect(existsSync(path.join(cache, 'decoy')) ? readdirSync(path.join(cache, 'decoy'), { recursive: true }).filter((name) => String(name).endsWith('/runsc')) : []).toEqual([]);
}, 60_000);

test.each([
  ['that cannot be parsed', '{ "debug": true, }', 'it is not a JSON object'],
  ['that has it already, in a way the engine did not take', '{"runtimes":{"runsc":{"path":"/nowhere"}}}', 'it has a runtime `runsc` that the engine did not take up'],
])('a daemon.json %s is left as it is, and the remedy told', async (_, text, why) => {
  engine = await configureEngine({ runtimes: {}, text });
  const small = path.join(cache, 'not-gvisor');
  writeFileSync(small, '#!/bin/sh\n');
  await using release = await openRelease(small);
  const end = await runDecoy(command, { env: { ...release.environment, XDG_CACHE_HOME: cache } });
  expect(end).toMatchObject({ exitCode: 125, stdout: '' });
  expect(end.report!.error).toContain(`/etc/docker/daemon.json is left as it is: ${why}; add {"runtimes":{"runsc":{"path":"${cache}/decoy/runsc/`);
  expect(readConfiguration()).toBe(text);
}, 90_000);

/** A program of that name which starts another one, without the argument that would keep its network. */
function pretender(name: string, words: string): string {
  const file = path.join(cache, name);
  writeFileSync(file, `#!/bin/sh\nfor word; do shift; [ "$word" = --network=host ] || set -- "$@" "$word"; done\nexec ${words} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

test('a runtime that does not do what was asked for runs nothing', async () => {
  const runtimeArgs = ['--network=host'];
  engine = await configureEngine({
    runtimes: {
      runsc: { path: program }, 'runsc-open': { path: program, runtimeArgs: [...runtimeArgs, '--host-uds=all'] },
      'runsc-apart': { path: pretender('runsc-apart', `${program} --network=sandbox`), runtimeArgs }, 'runsc-in-name': { path: pretender('runsc-in-name', '/usr/sbin/runc'), runtimeArgs },
      'other-runc': { path: '/usr/sbin/runc' },
    },
  });
  const errorOf = async (name: string) => {
    const end = await runDecoy(['--quiet', '--workspace', 'none', '--runtime', name, '--', 'echo', 'started']);
    expect(end).toMatchObject({ exitCode: 125, stdout: '' });
    return end.report!.error;
  };
  expect(await errorOf('runsc')).toMatch(/^runtime: the Docker engine has "runsc" with arguments that will not do: `--network=host` is missing/);
  expect(await errorOf('runsc-open')).toMatch(/`--host-uds=all` lets the sandbox use Unix sockets of the host/);
  expect(await errorOf('runsc-apart')).toMatch(/^cannot (join|reach) the gateway.*: the runtime gives the sandbox a network of its own; register gVisor with the runtime argument --network=host/);
  expect(await errorOf('runsc-in-name')).toMatch(/^the runtime of that name is not gVisor: the sandbox has the host's own kernel/);
  expect(await errorOf('kata')).toMatch(/^runtime: the Docker engine has no runtime "kata", only .*: register it/);
  // Must fail: a runtime that does is used.
  expect(await runDecoy(['--quiet', '--workspace', 'none', '--runtime', 'other-runc', '--', 'echo', 'started'])).toMatchObject({ exitCode: 0, stdout: 'started\n', report: { runtime: 'other-runc' } });
}, 90_000);
