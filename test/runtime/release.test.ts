import { expect, test } from 'vitest';
import { releaseUrl } from '../../src/runtime/release.ts';

// Of `uname -m`, as in the address of gVisor's installation guide.
test.each([['x64', 'x86_64'], ['arm64', 'aarch64']])('on %s gVisor is that of %s', (arch, name) => {
  expect(releaseUrl(arch)).toMatch(new RegExp(`^https://storage\\.googleapis\\.com/gvisor/releases/release/\\d{8}/${name}/runsc$`));
});

test('elsewhere there is none, and the message says what to do', () => {
  expect(() => releaseUrl('riscv64')).toThrow('gVisor has no release for "riscv64": use `runtime: runc`');
});
