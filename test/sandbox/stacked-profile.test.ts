import { expect, test } from 'vitest';
import { stackedProfile } from '../../src/sandbox/refuse-engine.ts';

test.each([
  ['as Debian loads it', 'containers-default-0.67.1 (enforce)\ncrun (unconfined)\ndocker-default (enforce)\n', 'crun'],
  ['taken out', 'containers-default-0.67.1 (enforce)\ndocker-default (enforce)\n', null],
  ['another of a similar name', 'crun-vm (unconfined)\n', null],
  ['no AppArmor', '', null],
])('%s', (_, profiles, found) => {
  expect(stackedProfile(profiles)).toBe(found);
});
