import { expect, test } from 'vitest';
import { addAccounts } from '../../../src/sandbox/image/add-accounts.ts';

const user = { uid: 1001, gid: 1001 };

test('nothing at all gets root and the user', () => {
  expect(addAccounts({ passwd: '', group: '' }, user)).toEqual({
    name: 'runner', passwd: 'root:x:0:0::/root:/bin/sh\nrunner:x:1001:1001::/home/runner:/bin/sh\n', group: 'root:x:0:\nrunner:x:1001:\n',
  });
});

test('what the image has stays, byte for byte, whether its last line ends or not', () => {
  const image = { passwd: 'root:x:0:0:root:/root:/bin/ash\nnode:x:1001:1001:L\xe9on:/home/node:/bin/sh', group: 'root:x:0:\nnode:x:1001:' };
  expect(addAccounts(image, user)).toEqual({ ...image, name: 'node' });
  expect(addAccounts({ passwd: 'root:x:0:0:::', group: 'root:x:0:' }, user)).toEqual({
    name: 'runner', passwd: 'root:x:0:0:::\nrunner:x:1001:1001::/home/runner:/bin/sh\n', group: 'root:x:0:\nrunner:x:1001:\n',
  });
});

test('a taken name is not given twice', () => {
  expect(addAccounts({ passwd: 'root:x:0:0:::\nrunner:x:5:5:::\n', group: '' }, user).passwd).toContain('\ndecoy-runner:x:1001:');
  expect(addAccounts({ passwd: '', group: 'runner:x:5:\n' }, user).name).toBe('decoy-runner');
});

test('root is the image\'s root', () => {
  expect(addAccounts({ passwd: 'toor:x:0:0::/root:/bin/sh\n', group: 'root:x:0:\n' }, { uid: 0, gid: 0 })).toEqual({ name: 'toor', passwd: 'toor:x:0:0::/root:/bin/sh\n', group: 'root:x:0:\n' });
});
