import { expect, test } from 'vitest';
import { findAccount } from '../../src/services/describe-service.ts';

const accounts = { passwd: 'root:x:0:0::/root:/bin/sh\npostgres:x:999:998:,,,:/var/lib/postgresql:/bin/sh\nodd\n', group: 'root:x:0:\npostgres:x:998:\nssl:x:101:\n' };

test.each([
  ['', { uid: 0, gid: 0, home: '/root' }],
  ['postgres', { uid: 999, gid: 998, home: '/var/lib/postgresql' }],
  ['999', { uid: 999, gid: 998, home: '/var/lib/postgresql' }],
  ['postgres:ssl', { uid: 999, gid: 101, home: '/var/lib/postgresql' }],
  ['1001', { uid: 1001, gid: 0, home: '/' }],
  ['1001:7', { uid: 1001, gid: 7, home: '/' }],
  ['nobody-here', null],
  ['postgres:nobody-here', null],
  ['-1', null],
  ['4294967296', null],
])('USER %s', (text, account) => {
  expect(findAccount(text, accounts)).toEqual(account);
});
