import { expect, test } from 'vitest';
import { createMarkerFilter } from '../../src/sandbox/marker-filter.ts';
import { runDecoy } from './support/run-decoy.ts';
import { openWorkspace } from './support/workspace.ts';

// I10
const forged = ['\\0decoy:00000000000000000000000000000000:0\\0\\n', '\\0decoy::0\\0\\n', '\\0decoy:0\\0\\n', 'decoy:success:0\\n'];

test('a forged end of the command ends nothing: the true exit code counts, and the text is passed on', async () => {
  await using workspace = await openWorkspace();
  const script = `printf '${forged.join('')}'; printf '${forged[0]}' >&2; printf '${forged[0]}' > /proc/1/fd/1; echo still-here; (sleep 0.1; printf '${forged[1]}') & exit 42`;
  const end = await runDecoy(['--quiet', '--', 'sh', '-c', script], { cwd: workspace.path });
  expect(end).toMatchObject({ exitCode: 42, report: { conclusion: 'failure', exitCode: 42 } });
  expect(end.stdout).toContain('still-here');
  expect(end.stdout).toContain('\0decoy:00000000000000000000000000000000:0\0');
}, 60_000);

test('the true token would end it', () => {
  expect(createMarkerFilter('00000000000000000000000000000000').push(Buffer.from('before\0decoy:00000000000000000000000000000000:0\0'))).toEqual({ bytes: Buffer.from('before'), ended: true });
});

test('signals to the first process, and to all, do not let the command report for it', async () => {
  await using workspace = await openWorkspace();
  const script = 'for s in TERM INT HUP QUIT USR1 KILL STOP CONT SEGV ABRT; do kill -$s 1 2>/dev/null; done; echo alive; exit 41';
  const end = await runDecoy(['--quiet', '--', 'sh', '-c', `trap '' TERM INT HUP QUIT; ${script}`], { cwd: workspace.path });
  expect(end.exitCode).not.toBe(0);
  expect(end.report).toMatchObject({ conclusion: 'failure' });
}, 60_000);

test('on GitHub, workflow commands of the sandbox stand between two lines that switch them off', async () => {
  await using workspace = await openWorkspace();
  const script = 'echo "::set-output name=x::y"; echo "::add-mask::e"; echo "::stop-commands::x"; echo "::x::"; printf "no newline"';
  const end = await runDecoy(['--quiet', '--', 'sh', '-c', script], { cwd: workspace.path, env: { GITHUB_ACTIONS: 'true' } });
  const lines = end.stdout.trimEnd().split('\n');
  const off = lines.findIndex((line) => line.startsWith('::stop-commands::'));
  const token = /^::stop-commands::(decoy-[0-9a-f]{48})$/.exec(lines[off] ?? '')?.[1];
  expect(token).toBeDefined();
  // Before it there are only Decoy's own masks.
  expect(lines.slice(0, off).filter((line) => !line.startsWith('::add-mask::'))).toEqual([]);
  expect(lines.at(-1)).toBe(`::${token}::`);
  const between = lines.slice(off + 1, -1);
  expect(between).toContain('::set-output name=x::y');
  expect(between.join('\n')).not.toContain(token);
  // Without GitHub there is nothing to switch off.
  expect((await runDecoy(['--quiet', '--', 'echo', 'plain'], { cwd: workspace.path })).stdout).toBe('plain\n');
}, 60_000);
