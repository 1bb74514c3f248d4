import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { asRoot } from '../faults/support/own-engine.ts';
import type { Attempt } from './resolver-program.ts';

/** The addresses a name could lead to inside are there, and would answer. */
const enter = `
ip link set lo up
for address in 203.0.113.9 10.0.0.1 169.254.169.254; do ip address add $address/32 dev lo; done
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
exec "$2" "$1/program.cjs" "$1/proxy.sock"`;

test('raw connections by name, with the system\'s resolver and a DNS server whose answers hold for no time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'decoy-resolver-'));
  try {
    await build({ entryPoints: [fileURLToPath(new URL('resolver-program.ts', import.meta.url))], bundle: true, platform: 'node', format: 'cjs', outfile: join(folder, 'program.cjs'), logLevel: 'error' });
    await writeFile(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
    await writeFile(join(folder, 'nsswitch.conf'), 'hosts: files dns\n');
    const { stdout } = await promisify(execFile)(...asRoot('unshare', '--net', '--mount', 'sh', '-euc', enter, 'sh', folder, process.execPath));
    const outcomes = (name: string) => (JSON.parse(stdout) as Attempt[]).filter((attempt) => attempt.name === name).map(({ outcome }) => outcome);
    for (const name of ['there.test', 'twin.test', 'chain.test', 'both.test']) expect(outcomes(name), name).toEqual(['::ffff:203.0.113.9']);
    for (const name of ['loopback', 'private', 'metadata', 'chain-inside', 'localhost-by-name', 'mapped', 'nat64', 'sixtofour', 'unspecified']) expect(outcomes(`${name}.test`), name).toEqual(['private-address']);
    // It is the one or the other, and what was checked is what is dialled.
    expect(new Set(outcomes('turns.test'))).toEqual(new Set(['::ffff:203.0.113.9', 'private-address']));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
