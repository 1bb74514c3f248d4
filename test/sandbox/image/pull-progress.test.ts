import { expect, test } from 'vitest';
import { followPull } from '../../../src/sandbox/image/pull-progress.ts';

const MIB = 2 ** 20;

test('layers and bytes are added up, and what is no layer is not counted', () => {
  const progress = followPull();
  expect(progress.describe()).toBe('');
  progress.add({ id: '1.0', status: 'Pulling from team/tools' });
  expect(progress.describe()).toBe('');
  const [first, second, third] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc'];
  progress.add({ id: first, status: 'Already exists' });
  progress.add({ id: second, status: 'Pulling fs layer' });
  progress.add({ id: third, status: 'Downloading', progressDetail: { current: 3 * MIB, total: 10 * MIB } });
  expect(progress.describe()).toBe('1 of 3 layers done, 3 of 10 MiB downloaded');
  progress.add({ id: third, status: 'Download complete' });
  progress.add({ id: third, status: 'Extracting', progressDetail: { current: 1, total: 99 * MIB } });
  progress.add({ id: second, status: 'Pull complete' });
  expect(progress.describe()).toBe('2 of 3 layers done, 10 of 10 MiB downloaded');
  progress.add({ status: 'Digest: sha256:0' });
  expect(progress.describe()).toBe('2 of 3 layers done, 10 of 10 MiB downloaded');
});
