import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readActionFile } from './action-file.ts';
import { startRunner } from './run-action.ts';

test('a run that succeeds sets every output, writes the summary and hands the report over for upload', async () => {
  await using runner = startRunner();
  fs.writeFileSync(path.join(runner.workspace, 'kept.txt'), 'as it was\n');
  const { outputs, steps, summary, failed, upload } = await runner.use({ run: 'echo "hello from inside"\nprintf \'%s\\n\' new > added.txt\nprintf x > $\'two\\nlines\'\nprintf x > $\'a\\u202eb\'' });

  expect(steps['run']?.stdout).toContain('hello from inside\n');
  expect(failed).toBe(false);
  expect(Object.keys(outputs)).toEqual(Object.keys(readActionFile().outputs));
  expect(outputs).toMatchObject({ 'exit-code': '0', conclusion: 'success', 'blocked-count': '0', 'proposed-allow': '' });
  expect(outputs['changed-files']?.split('\n').sort()).toEqual(['"a\\u202eb"', '"two\\nlines"', 'added.txt']);
  for (const number of ['cpu-seconds', 'peak-memory-bytes', 'wall-seconds']) expect(Number(outputs[number])).toBeGreaterThan(0);
  expect(JSON.parse(fs.readFileSync(outputs['report'] as string, 'utf8'))).toMatchObject({ version: 1, conclusion: 'success', exitCode: 0 });
  expect(fs.readFileSync(outputs['patch'] as string, 'utf8')).toContain('+new');
  expect(fs.existsSync(path.join(runner.workspace, 'added.txt')), 'the real workspace is untouched').toBe(false);
  expect(summary).toContain('### Decoy: success');
  expect(summary).toContain('| `added.txt` | added | +1 | -0 |');
  expect(upload?.name).toBe('decoy-report');
  expect(Object.keys(upload?.files ?? {}).sort()).toEqual(['audit.jsonl', 'changes.patch', 'report.html', 'report.json']);
}, 60_000);

test('an empty report-artifact uploads nothing', async () => {
  await using runner = startRunner();
  const { upload, failed } = await runner.use({ run: 'true', 'report-artifact': '' });
  expect({ upload, failed }).toEqual({ upload: null, failed: false });
}, 60_000);
