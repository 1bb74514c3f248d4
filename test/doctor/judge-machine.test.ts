import { expect, test } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';
import { judgeMachine, type MachineFacts } from '../../src/doctor/judge-machine.ts';

const runner: MachineFacts = { nodeVersion: 'v24.21.0', platform: 'linux', arch: 'x64', hasGuest: true, cpus: 4, memoryBytes: 16 * 2 ** 30, problems: [], warnings: [] };

test.each<[string, Partial<MachineFacts>, Partial<Finding>]>([
  ['a hosted runner', {}, { check: 'machine', status: 'ok', detail: 'linux x64, 4 cores, 16 GiB of memory' }],
  ['macOS', { platform: 'darwin', arch: 'arm64' }, { check: 'machine', status: 'failed', remedy: 'run Decoy on a Linux machine (`runs-on: ubuntu-latest`)' }],
  ['an architecture without guest programs', { arch: 's390x', hasGuest: false }, { check: 'machine', status: 'failed', remedy: 'use an x64 or arm64 machine, and a complete checkout of Decoy' }],
  ['little memory', { memoryBytes: 2 ** 30 }, { check: 'machine', status: 'limited', detail: 'linux x64, 4 cores, 1 GiB of memory; less memory than the default cap of 4 GiB', remedy: 'set `memory` to what can be spared' }],
  ['one core', { cpus: 1 }, { check: 'machine', status: 'limited', detail: 'linux x64, 1 core, 16 GiB of memory; fewer cores than the default cap of 2: runs get 1' }],
  ['a proxy that cannot be used', { problems: ['HTTPS_PROXY: `x` is no HTTP proxy'] }, { check: 'environment', status: 'failed', detail: 'HTTPS_PROXY: `x` is no HTTP proxy' }],
  ['roots that cannot be read', { warnings: ['SSL_CERT_FILE: `x` cannot be read'] }, { check: 'environment', status: 'limited', detail: 'SSL_CERT_FILE: `x` cannot be read' }],
])('%s', (_, change, expected) => {
  expect(judgeMachine({ ...runner, ...change })).toContainEqual(expect.objectContaining(expected));
});

test('what is worst decides, and every remedy is kept', () => {
  const [, machine] = judgeMachine({ ...runner, hasGuest: false, memoryBytes: 2 ** 30 });
  expect(machine).toMatchObject({ status: 'failed', remedy: 'use an x64 or arm64 machine, and a complete checkout of Decoy; set `memory` to what can be spared' });
});
