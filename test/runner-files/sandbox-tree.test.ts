import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { arrangeTree } from '../../src/sandbox/runner-files/arrange-tree.ts';
import { collectEtc } from '../../src/sandbox/runner-files/collect-etc.ts';
import { packTree, type TarEntry } from '../../src/sandbox/runner-files/pack-tree.ts';
import { sandboxTree, type TreeOptions } from '../../src/sandbox/runner-files/sandbox-tree.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { buildTrustStore } from '../../src/trust/pkcs12.ts';
import { subjectHash } from '../../src/trust/subject-hash.ts';
import { readSystemRoots } from '../../src/trust/system-roots.ts';
import { buildTrustBundle } from '../../src/trust/trust-bundle.ts';
import { trustFiles } from '../../src/trust/trust-files.ts';

const user = { uid: 1001, gid: 1002 };

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'decoy-tree-'));
});
afterEach(() => fs.rm(folder, { recursive: true, force: true }));

async function options(change: Partial<TreeOptions> = {}): Promise<TreeOptions> {
  const { certificatePem: authorityPem } = await createAuthority();
  const bundlePem = buildTrustBundle({ systemRootsPem: await readSystemRoots(), authorityPem });
  const trust = { authorityPem, bundlePem, trustStore: buildTrustStore([bundlePem]) };
  const etc = [entry('etc/skel/.bashrc', { type: 'file', content: 'PS1=x\n' })];
  return { user, etc, overlays: [{ name: 'usr' }, { name: 'workspace', owner: { ...user, mode: 0o750 } }], trust, trustFiles: trustFiles(trust), ...change };
}

type Kind = { type: 'file'; content: string } | { type: 'directory' } | { type: 'symlink'; target: string };

function entry(name: string, kind: Kind): TarEntry {
  return { name, mode: 0o644, uid: 0, gid: 0, ...kind };
}

async function unpacked(tree: TarEntry[]): Promise<void> {
  await fs.writeFile(path.join(folder, 'tree.tar'), packTree(tree));
  execFileSync('tar', ['-xpf', 'tree.tar', '--no-same-owner', '--delay-directory-restore'], { cwd: folder });
}

test('the disk starts with these folders, modes and owners', async () => {
  const tree = sandboxTree(await options({ script: '#!/bin/sh\ntrue\n' }));
  const described = tree.filter((each) => !each.name.startsWith('etc')).map((each) =>
    `${each.mode.toString(8)} ${each.uid}:${each.gid} ${each.name}${each.type === 'symlink' ? ` -> ${each.target}` : each.type === 'directory' ? '/' : ''}`);
  expect(described).toEqual([
    '755 0:0 decoy/',
    '644 0:0 decoy/bundle.pem',
    '644 0:0 decoy/ca.pem',
    '755 0:0 decoy/script',
    '644 0:0 decoy/truststore.p12',
    '755 0:0 home/',
    '755 1001:1002 home/runner/',
    '644 1001:1002 home/runner/.bashrc',
    '755 0:0 root/',
    '755 0:0 run/',
    '1777 0:0 run/lock/',
    '1777 0:0 tmp/',
    '755 0:0 usr/',
    '755 0:0 usr/upper/',
    '700 0:0 usr/work/',
    '755 0:0 var/',
    '755 0:0 var/cache/',
    '755 0:0 var/lib/',
    '755 0:0 var/lib/misc/',
    '777 0:0 var/lock -> /run/lock',
    '755 0:0 var/log/',
    '755 0:0 var/opt/',
    '777 0:0 var/run -> /run',
    '755 0:0 var/spool/',
    '1777 0:0 var/tmp/',
    '755 0:0 workspace/',
    '750 1001:1002 workspace/upper/',
    '700 0:0 workspace/work/',
  ]);
});

test('a real tar unpacks this machine\'s tree, with the bundle in every usual place', async () => {
  const given = await options({ etc: await collectEtc({ user }) });
  await unpacked(sandboxTree(given));
  for (const name of ['etc/ssl/certs/ca-certificates.crt', 'etc/ssl/cert.pem', 'etc/pki/tls/certs/ca-bundle.crt', 'etc/pki/tls/cert.pem', 'decoy/bundle.pem']) {
    expect(await fs.readFile(path.join(folder, name), 'utf8'), name).toBe(given.trust.bundlePem);
  }
  for (const name of ['etc/ssl/certs/java/cacerts', 'etc/ssl/certs/adoptium/cacerts', 'decoy/truststore.p12']) {
    expect((await fs.readFile(path.join(folder, name))).equals(given.trust.trustStore), name).toBe(true);
  }
  const hashed = `etc/ssl/certs/${subjectHash(given.trust.authorityPem)}.0`;
  expect(await fs.readFile(path.join(folder, hashed), 'utf8')).toBe(given.trust.authorityPem);
  expect((await fs.stat(path.join(folder, 'tmp'))).mode & 0o7777).toBe(0o1777);
});

test('a runner whose certificate folder is a link gets a folder of its own, and nothing is written through the link', async () => {
  const etc = [entry('etc/ssl/certs', { type: 'symlink', target: '/usr/share/certs' })];
  const tree = sandboxTree(await options({ etc }));
  expect(tree.find((each) => each.name === 'etc/ssl/certs')?.type).toBe('directory');
  await unpacked(tree);
});

test('of two entries with one name the later wins, and parents come first', () => {
  const tree = arrangeTree([
    entry('a/b/c', { type: 'file', content: 'old' }), entry('a/b-x', { type: 'file', content: '' }), entry('a/b/c', { type: 'file', content: 'new' }),
  ]);
  expect(tree.map((each) => each.name)).toEqual(['a', 'a/b', 'a/b-x', 'a/b/c']);
  expect(tree.at(-1)).toMatchObject({ content: 'new' });
});

test.each(['/etc/x', '../x', 'a/../x', 'a//x', 'a/', '.', ''])('refuses the name %j', (name) => {
  expect(() => arrangeTree([entry(name, { type: 'directory' })])).toThrow('the name must be relative');
});

test('names and link targets beyond a tar header\'s length, and outside ASCII, survive', async () => {
  const name = `etc/${'ü'.repeat(80)}/${'n'.repeat(200)}`;
  const target = `/usr/${'t'.repeat(300)}`;
  await unpacked(arrangeTree([entry(name, { type: 'file', content: 'grüße' }), entry('etc/l', { type: 'symlink', target })]));
  expect(await fs.readFile(path.join(folder, name), 'utf8')).toBe('grüße');
  expect(await fs.readlink(path.join(folder, 'etc/l'))).toBe(target);
});
