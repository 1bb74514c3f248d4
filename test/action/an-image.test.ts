import { expect, test } from 'vitest';
import { busybox, openTestImage } from '../integration/support/test-image.ts';
import { startRunner } from './run-action.ts';

test('a step runs its script in an image by the shell that has, and its summary says exactly which image that was', async () => {
  await using runner = startRunner();
  await using image = openTestImage({ entries: busybox('sh', 'echo', 'ls'), changes: ['ENV PATH=/bin FROM=the-image'] });
  const { outputs, log, summary, failed } = await runner.use({ run: 'echo "FROM $FROM"; ls /; echo x > new', image: image.reference });
  expect(failed, log).toBe(false);
  expect(log).toContain('FROM the-image\n');
  expect(log).not.toMatch(/^usr$/m);
  expect(outputs).toMatchObject({ 'exit-code': '0', conclusion: 'success', 'changed-files': 'new' });
  expect(summary).toContain(`in \`${image.reference}\` (\`${image.id}\`)`);
}, 60_000);
