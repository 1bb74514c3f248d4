import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collectEtc } from '../../src/sandbox/runner-files/collect-etc.ts';
import type { TarEntry } from '../../src/sandbox/runner-files/pack-tree.ts';

const user = { uid: 1001, gid: 1001 };
const privateKey = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'decoy-etc-'));
  await fs.chmod(folder, 0o755);
});
afterEach(() => fs.rm(folder, { recursive: true, force: true }));

async function write(name: string, content: string | Buffer = 'harmless\n', mode = 0o644): Promise<void> {
  const file = path.join(folder, name);
  await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
  await fs.writeFile(file, content);
  await fs.chmod(file, mode);
}

async function collected(): Promise<Map<string, TarEntry>> {
  return new Map((await collectEtc({ user, folder })).map((entry) => [entry.name, entry]));
}

function text(entry: TarEntry | undefined): string | undefined {
  return entry?.type === 'file' ? entry.content.toString() : undefined;
}

describe('what a sandbox sees of a hostile /etc', () => {
  test.each([
    ['shells', true],
    ['services', true],
    ['ssl/openssl.cnf', true],
    ['ssl/certs/root.pem', true],
    ['locale.gen', true],
    ['java-17-openjdk/security/java.security', true],
    ['php/8.3/cli/conf.d/20-json.ini', true],
    ['apt/keyrings/vendor.gpg', true],
    ['shadow', false],
    ['shadow-', false],
    ['gshadow', false],
    ['passwd-', false],
    ['sudoers', false],
    ['sudoers.d/runner', false],
    ['ssh/ssh_config', false],
    ['docker/daemon.json', false],
    ['waagent.conf', false],
    ['default/instance_configs.cfg', false],
    ['krb5.conf', false],
    ['ldap/ldap.conf', false],
    ['NetworkManager/system-connections/wifi', false],
    ['wireguard/wg0.conf', false],
    ['kubernetes/admin.conf', false],
    ['containers/auth.json', false],
    ['netrc', false],
    ['npmrc', false],
    ['pip.conf', false],
    ['wgetrc', false],
    ['profile.d/token.sh', false],
    ['maven/settings.xml', false],
    ['apt/auth.conf', false],
    ['apt/auth.conf.d/private.conf', false],
    ['ssl/private/key.pem', false],
    ['ssl/certs/server.key', false],
    ['ssl/certs/store.p12', false],
    ['ssl/certs/private/other.pem', false],
    ['fonts/.netrc', false],
    ['something-new', false],
  ])('%s: %s', async (name, visible) => {
    await write(name);
    expect((await collected()).has(`etc/${name}`)).toBe(visible);
  });

  test.each([
    ['a private key among the certificates', 'ssl/certs/oops.pem', `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${privateKey}`],
    ['a private key in a harmless-looking file', 'fonts/local.conf', privateKey],
    ['an OpenPGP private key, as text', 'apt/trusted.gpg.d/a.asc', '-----BEGIN PGP PRIVATE KEY BLOCK-----\n'],
    ['an OpenPGP private key, old form', 'apt/keyrings/a.gpg', Buffer.from([0x95, 0x03, 0xbe])],
    ['an OpenPGP private key, new form', 'apt/keyrings/b.gpg', Buffer.from([0xc5, 0x03, 0xbe])],
    ['a URL with a password', 'fonts/local.conf', 'see https://ci:hunter2hunter2@fonts.example.test/\n'],
    ['a URL with a token', 'R/repositories', 'CRAN\thttps://ghp_abcdefgh@r.example.test\n'],
    ['a password setting', 'php/8.3/cli/php.ini', '[mysqli]\nmysqli.default_pw = hunter2\n'],
    ['an apt proxy with a password', 'apt/apt.conf.d/90proxy', 'Acquire::http::Proxy "http://u:p@10.0.0.1:3128/";\n'],
    ['an apt proxy without one', 'apt/apt.conf', 'Acquire { https { Proxy "http://10.0.0.1:3128"; }; };\n'],
    ['an apt address with a password', 'apt/apt.conf.d/91x', 'Foo::Bar "https://u:p@x.example.test/";\n'],
    ['a file too large', 'magic', Buffer.alloc(4 * 1024 * 1024 + 1)],
  ])('never %s', async (_what, name, content) => {
    await write(name, content);
    expect((await collected()).has(`etc/${name}`)).toBe(false);
  });

  test('a php.ini that sets no password stays', async () => {
    await write('php/8.3/cli/php.ini', 'mysqli.default_pw =\n; password = x\nmemory_limit = -1\n');
    expect((await collected()).has('etc/php/8.3/cli/php.ini')).toBe(true);
  });

  test('nothing that is not world-readable', async () => {
    await write('services', 'x', 0o640);
    await write('fonts/conf.d/a.conf');
    await fs.chmod(path.join(folder, 'fonts'), 0o750);
    const entries = await collected();
    expect(entries.has('etc/services')).toBe(false);
    expect(Array.from(entries.keys()).filter((name) => name.startsWith('etc/fonts'))).toEqual([]);
  });

  test('neither sockets nor pipes, which it does not wait for either', async () => {
    await write('fonts/fonts.conf');
    execFileSync('mkfifo', [path.join(folder, 'fonts/pipe'), path.join(folder, 'magic')]);
    const server = net.createServer().listen(path.join(folder, 'fonts/socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    const entries = await collected();
    server.close();
    expect(Array.from(entries.keys()).filter((name) => /fonts\/|magic/.test(name))).toEqual(['etc/fonts/fonts.conf']);
  });

  test.each([
    ['/usr/share/zoneinfo/UTC', true],
    ['../usr/share/zoneinfo/UTC', true],
    ['/etc/alternatives/x', true],
    ['/lib64/x', true],
    ['/root/.ssh/id_ed25519', false],
    ['/home/someone/zone', false],
    ['/run/secrets/token', false],
    ['/var/lib/cloud/x', false],
    ['/proc/1/environ', false],
    ['../../../home/x', false],
    ['/usr/../root/x', false],
    ['/usrlocal/x', false],
  ])('a link to %s: %s', async (target, visible) => {
    await fs.symlink(target, path.join(folder, 'localtime'));
    const entry = (await collected()).get('etc/localtime');
    expect(entry?.type === 'symlink' && entry.target === target).toBe(visible);
  });

  test('a linked directory is a link, and what it leads to is not read', async () => {
    await write('secret-place/token', 'hunter2');
    await fs.symlink('secret-place', path.join(folder, 'fonts'));
    await fs.mkdir(path.join(folder, 'ssl'));
    await fs.symlink('../secret-place', path.join(folder, 'ssl/certs'));
    await fs.symlink('secret-place', path.join(folder, 'default'));
    await write('secret-place/locale', 'hunter2');
    const entries = await collected();
    expect(entries.get('etc/fonts')?.type).toBe('symlink');
    expect(entries.get('etc/ssl/certs')?.type).toBe('symlink');
    expect(Array.from(entries.values(), text).join()).not.toContain('hunter2');
  });

  test('no more than 64 MiB in all', async () => {
    for (let index = 0; index < 20; index++) await write(`fonts/${index}.conf`, Buffer.alloc(4 * 1024 * 1024, 'x'));
    const bytes = Array.from((await collected()).values(), (entry) => (entry.type === 'file' ? entry.content.length : 0));
    expect(bytes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(64 * 1024 * 1024 + 4096);
  });

  test('a setuid bit or a foreign owner does not come along', async () => {
    await write('skel/script', '#!/bin/sh\n', 0o4777);
    expect((await collected()).get('etc/skel/script')).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
  });

  test('names are asked of the gateway alone, and the runner\'s name stays unknown', async () => {
    for (const name of ['resolv.conf', 'hosts', 'hostname']) await write(name, 'nameserver 10.0.0.53 build-7.corp.example\n');
    const entries = await collected();
    expect(text(entries.get('etc/resolv.conf'))).toBe('nameserver 127.0.0.1\noptions timeout:5 attempts:2\n');
    expect(text(entries.get('etc/hosts'))).toBe('127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\tsandbox\n');
    expect(text(entries.get('etc/hostname'))).toBe('sandbox\n');
  });

  test('an empty folder still makes a working /etc', async () => {
    expect(Array.from((await collected()).keys())).toEqual([
      'etc', 'etc/environment', 'etc/gitconfig', 'etc/group', 'etc/hostname', 'etc/hosts', 'etc/machine-id', 'etc/mtab', 'etc/nsswitch.conf',
      'etc/passwd', 'etc/resolv.conf',
    ]);
  });
});

describe('accounts', () => {
  test('passwd: system accounts without comments, then the sandbox\'s user', async () => {
    await write('passwd', [
      'root:x:0:0:Jane Doe,room 5,555-0100:/root:/bin/bash', 'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin', 'runner:x:1001:127:,,,:/home/ci:/bin/bash',
      'alice:$6$hash:1000:1000:Alice:/home/alice:/bin/bash', 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin', '+@nis:::::', 'broken:line', '',
    ].join('\n'));
    expect(text((await collected()).get('etc/passwd'))).toMatch(new RegExp([
      '^root:x:0:0::/root:/bin/bash', 'daemon:x:1:1::/usr/sbin:/usr/sbin/nologin', 'nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin',
      'runner:x:1001:1001::/home/runner:/bin/(ba)?sh\n$',
    ].join('\n')));
  });

  test('group: nobody is in docker or sudo', async () => {
    await write('group', 'root:x:0:\nsudo:x:27:runner\ndocker:x:998:runner,alice\nalice:x:1000:\nnogroup:x:65534:\nrunner:x:127:\n');
    expect(text((await collected()).get('etc/group'))).toBe('root:x:0:\nsudo:x:27:\ndocker:x:998:\nnogroup:x:65534:\nrunner:x:1001:\n');
  });

  test('a system account with the user\'s own id gives way, root does not', async () => {
    await write('passwd', 'root:x:0:0::/root:/bin/sh\nci:x:500:500::/srv:/bin/sh\n');
    const passwdOf = async (uid: number) =>
      text((await collectEtc({ user: { uid, gid: uid }, folder })).find((entry) => entry.name === 'etc/passwd'));
    expect(await passwdOf(500)).toMatch(/^root:.*\nrunner:x:500:500:.*\n$/);
    expect(await passwdOf(0)).toMatch(/^root:.*\nci:.*\nrunner:x:0:0:.*\n$/);
  });
});

describe('apt sources', () => {
  test('a one-line source with a password is left out, the others stay', async () => {
    await write('apt/sources.list', 'deb http://deb.example.test stable main\ndeb https://u:p@private.example.test stable main\n# end\n');
    expect(text((await collected()).get('etc/apt/sources.list'))).toBe('deb http://deb.example.test stable main\n# end\n');
  });

  test('a deb822 stanza with a password is left out as a whole', async () => {
    await write('apt/sources.list.d/a.sources',
      'Types: deb\nURIs: http://deb.example.test\nSuites: stable\n\nTypes: deb\nURIs:\n http://x.example.test\n https://tok@private.example.test\nSuites: x\n');
    expect(text((await collected()).get('etc/apt/sources.list.d/a.sources'))).toBe('Types: deb\nURIs: http://deb.example.test\nSuites: stable');
  });
});

describe('this machine\'s own /etc', () => {
  test('gives what its tools need, nothing private, quickly', async () => {
    const startedAt = performance.now();
    const entries = await collectEtc({ user });
    expect(performance.now() - startedAt).toBeLessThan(500);
    const names = new Set(entries.map((entry) => entry.name));
    for (const name of ['etc/passwd', 'etc/ld.so.cache', 'etc/ssl/certs', 'etc/nsswitch.conf']) expect(names).toContain(name);
    for (const entry of entries) {
      if (entry.type !== 'file') continue;
      expect(entry.content.includes('PRIVATE KEY'), entry.name).toBe(false);
      expect(entry.content.toString('latin1'), entry.name).not.toMatch(/:\/\/[^\s/@"'<>]+@/);
    }
    expect(Array.from(names).filter((name) => /shadow|sudo|ssh|docker\/|private|auth\.conf|netrc/.test(name))).toEqual([]);
  });

  test('can be collected by a plain user', async () => {
    if (process.getuid?.() !== 0) return;
    process.seteuid!(65534);
    try {
      expect((await collectEtc({ user })).length).toBeGreaterThan(10);
    } finally {
      process.seteuid!(0);
    }
  });
});
