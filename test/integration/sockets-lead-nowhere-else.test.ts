import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { onHost } from './support/on-host.ts';
import { runDecoy } from './support/run-decoy.ts';
import { openWorkspace, probes } from './support/workspace.ts';

// I4, I8: what no network namespace confines (AF_VSOCK leads to the hypervisor) is no way out, whatever the engine's own filter lets through.
const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

test.each(['runner', 'root'])('as %s: only families a network namespace confines, and no io_uring, which no filter sees into', async (user) => {
  await using workspace = await openWorkspace();
  const end = await runDecoy(['--quiet', '--user', user, '--', 'python3', 'probes/families.py', machine], { cwd: workspace.path });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  expect(openIn(end.stdout)).toEqual(['UNIX', 'INET', 'INET6', 'NETLINK', 'pair']);
  expect(end.stdout).toMatch(/^closed VSOCK EAFNOSUPPORT$/m);
  expect(end.stdout).toMatch(/^closed io_uring ENOSYS$/m);
  // Outside, the same probe finds more.
  const control = await onHost(['/usr/bin/python3', path.join(probes, 'families.py'), machine]);
  expect(openIn(control.stdout).filter((name) => !openIn(end.stdout).includes(name))).not.toEqual([]);
}, 60_000);

test.runIf(machine === 'x86_64')('32-bit programs get no socket by a call whose arguments no filter sees', async () => {
  await using workspace = await openWorkspace();
  const source = path.join(workspace.path, 'call.go');
  writeFileSync(source, readFileSync(path.join(probes, 'socketcall.go')));
  execFileSync('go', ['build', '-o', path.join(workspace.path, 'call'), source], { env: { ...process.env, GOARCH: '386', CGO_ENABLED: '0', GOFLAGS: '-mod=mod' } });
  const end = await runDecoy(['--quiet', '--', './call'], { cwd: workspace.path });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  expect(end.stdout).toBe('socketcall INET: function not implemented\nsocketcall VSOCK: function not implemented\nsocket VSOCK: address family not supported by protocol\nsocket INET: errno 0\n');
}, 120_000);

function openIn(stdout: string): string[] {
  return [...stdout.matchAll(/^open (\S+)/gm)].map(([, name]) => name as string);
}
