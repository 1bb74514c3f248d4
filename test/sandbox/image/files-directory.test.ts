import { expect, test } from 'vitest';
import { filesDirectory } from '../../../src/sandbox/image/files-directory.ts';

const find = (described: object) => filesDirectory({ Id: 'c0ffee', ...described }, { dockerRoot: async () => '/var/lib/docker' });

test('overlay2 tells the directory; the containerd image store mounts by the container\'s ID', async () => {
  expect(await find({ GraphDriver: { Name: 'overlay2', Data: { MergedDir: '/data/overlay2/x/merged' } } })).toBe('/data/overlay2/x/merged');
  // Docker 25 to 28, and 29.
  expect(await find({ GraphDriver: { Name: 'overlayfs', Data: null } })).toBe('/var/lib/docker/rootfs/overlayfs/c0ffee');
  expect(await find({ Storage: { RootFS: { Snapshot: { Name: 'overlayfs' } } } })).toBe('/var/lib/docker/rootfs/overlayfs/c0ffee');
});

test.each([
  [{ GraphDriver: { Name: 'vfs', Data: null } }, '"vfs"'], [{ GraphDriver: { Name: 'btrfs', Data: null } }, '"btrfs"'], [{ GraphDriver: { Name: 'overlay2', Data: null } }, '"overlay2"'],
  [{ Storage: { RootFS: { Snapshot: { Name: 'native' } } } }, '"native"'], [{}, '""'],
])('%j: no hard cap, so no run', async (described, driver) => {
  await expect(find(described)).rejects.toThrow(`the Docker engine's storage driver ${driver} cannot be given a hard cap on the disk of an image: use \`image: runner\``);
});
