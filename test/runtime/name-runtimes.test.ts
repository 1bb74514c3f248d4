import { expect, test } from 'vitest';
import { nameRuntimes } from '../../src/runtime/list-runtimes.ts';

test('the types containerd has of its own are not named, and the others are in order', () => {
  expect(nameRuntimes({ 'runsc': {}, 'io.containerd.runc.v2': {}, 'runc': {} })).toEqual(['runc', 'runsc']);
});
