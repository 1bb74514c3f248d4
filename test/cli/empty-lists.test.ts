import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

test.each(['volumes', 'snapshots'])('`decoy %s` says where it found none, beside what a program reads', (verb) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'empty-lists-'));
  try {
    expect(runCli([verb], { env: { DECOY_VOLUMES: directory, DECOY_SNAPSHOTS: directory } })).toMatchObject({ exitCode: 0, stdout: '', lines: [`decoy: no ${verb} in ${directory}`] });
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
});
