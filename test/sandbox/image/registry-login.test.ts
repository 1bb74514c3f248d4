import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRegistryLogin } from '../../../src/sandbox/image/registry-login.ts';

let folder: string;
let searchPath: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'decoy-login-'));
  searchPath = process.env['PATH'];
  process.env['PATH'] = `${folder}:${searchPath}`;
});
afterEach(() => {
  process.env['PATH'] = searchPath;
  rmSync(folder, { recursive: true });
});

const read = (registry: string, signal = new AbortController().signal) => readRegistryLogin({ registry, configDirectory: folder, signal });
const configure = (config: unknown) => writeFileSync(path.join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
const helper = (name: string, script: string) => {
  writeFileSync(path.join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
  chmodSync(path.join(folder, `docker-credential-${name}`), 0o755);
};
const auth = Buffer.from('user:pass:word').toString('base64');

test('no configuration, or none for this registry, is no login', async () => {
  expect(await read('ghcr.io')).toBeNull();
  configure({ auths: { 'ghcr.io': {}, 'quay.io': { auth } } });
  expect(await read('ghcr.io')).toBeNull();
});

test.each<[string, string, object, object]>([
  ['a registry', 'ghcr.io', { auths: { 'ghcr.io': { auth } } }, { username: 'user', password: 'pass:word', serveraddress: 'ghcr.io' }],
  ['a registry by an old key', 'ghcr.io', { auths: { 'https://ghcr.io/v1/': { auth } } }, { username: 'user', password: 'pass:word', serveraddress: 'ghcr.io' }],
  ['Docker Hub', 'docker.io', { auths: { 'https://index.docker.io/v1/': { auth } } }, { username: 'user', password: 'pass:word', serveraddress: 'https://index.docker.io/v1/' }],
  ['a token', 'ghcr.io', { auths: { 'ghcr.io': { auth, identitytoken: 'tok' } } }, { identitytoken: 'tok', serveraddress: 'ghcr.io' }],
  ['the same name with another port', 'r.example:5000', { auths: { 'r.example': { auth: 'eDp5' }, 'r.example:5000': { auth } } }, { username: 'user', password: 'pass:word', serveraddress: 'r.example:5000' }],
])('%s: what the file has', async (_, registry, config, login) => {
  configure(config);
  expect(await read(registry)).toEqual(login);
});

test('a helper of the registry goes before the general one, and both before the file; one that has nothing leaves it to the file', async () => {
  helper('one', 'read server; [ "$1" = get ] && echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"one\\",\\"Secret\\":\\"s1\\"}"');
  helper('all', 'read server; [ "$server" != quay.io ] || { echo "credentials not found in native keychain"; exit 1; }; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"$server\\"}"');
  configure({ credHelpers: { 'ghcr.io': 'one' }, credsStore: 'all', auths: { 'ghcr.io': { auth }, 'quay.io': { auth } } });
  expect(await read('ghcr.io')).toEqual({ username: 'one', password: 's1', serveraddress: 'ghcr.io' });
  expect(await read('docker.io')).toEqual({ identitytoken: 'https://index.docker.io/v1/', serveraddress: 'https://index.docker.io/v1/' });
  expect(await read('quay.io')).toEqual({ username: 'user', password: 'pass:word', serveraddress: 'quay.io' });
});

test.each<[string, () => void, string]>([
  ['a file that is not JSON', () => configure('{"auths":{"ghcr.io":{"auth":"topsecret'), 'it is not JSON'],
  ['a helper that fails', () => {
    helper('bad', 'echo topsecret; echo topsecret >&2; exit 3');
    configure({ credsStore: 'bad' });
  }, 'failed with exit code 3'],
  ['a helper that answers nonsense', () => {
    helper('bad', 'echo topsecret');
    configure({ credsStore: 'bad' });
  }, 'gave an answer that is not JSON'],
  ['a helper that is not there', () => configure({ credsStore: 'none' }), 'cannot be run (ENOENT)'],
  ['a helper that is a path', () => configure({ credsStore: '../x' }), 'has a name that is not a program\'s'],
])('%s is told without what it held', async (_, arrange, message) => {
  arrange();
  const problem = await read('ghcr.io').then(() => '', (error: Error) => error.message);
  expect(problem).toContain(message);
  expect(problem).toMatch(/pull the image first/);
  expect(problem).not.toContain('topsecret');
});

test('a helper that waits for somebody is ended with the run', async () => {
  helper('slow', 'exec sleep 60');
  configure({ credsStore: 'slow' });
  const cancel = new AbortController();
  const reading = read('ghcr.io', cancel.signal);
  cancel.abort();
  await expect(reading).rejects.toThrow('the credential helper "docker-credential-slow" cannot be run (ABORT_ERR)');
});
