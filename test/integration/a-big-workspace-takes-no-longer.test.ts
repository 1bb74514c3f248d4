import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runDecoy } from './support/run-decoy.ts';
import { openWorkspace } from './support/workspace.ts';

const FILES = 3_000;

/** Overlays take a mount with other owners from Linux 6.15 on; before, every file's new owner is written to the sandbox's disk. */
const [major = 0, minor = 0] = os.release().split('.').map(Number);
const mapsOwners = process.getuid?.() === 0 && (major > 6 || (major === 6 && minor >= 15));

test('files of a workspace that is somebody else\'s are the sandbox\'s without being touched one by one', async () => {
  await using workspace = await openWorkspace();
  const many = path.join(workspace.path, 'many');
  mkdirSync(many);
  for (let number = 0; number < FILES; number += 1) writeFileSync(path.join(many, `file${number}`), 'x');
  if (process.getuid?.() === 0) chownSync(path.join(many, 'file7'), 4242, 4242);
  const script = 'df --output=iused /tmp | tail -n 1; find many -type f -writable | wc -l; echo y >> many/file1; mv many/file2 many/moved; stat -c %u many/file7';
  const end = await runDecoy(['--', 'sh', '-ec', script], { cwd: workspace.path });
  expect(end, end.stderr).toMatchObject({ exitCode: 0, report: { changes: { files: 2 } } });
  const [inodesUsed, writable, strangersUid] = end.stdout.trim().split('\n').map(Number);
  expect(inodesUsed! > FILES).toBe(process.getuid?.() === 0 && !mapsOwners);
  // The file of a third user stays that user's.
  expect({ writable, strangersUid }).toEqual(mapsOwners ? { writable: FILES - 1, strangersUid: 4242 } : { writable: FILES, strangersUid: expect.any(Number) });
}, 60_000);
