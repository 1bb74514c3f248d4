import { expect, test } from 'vitest';
import { mergeDaemonConfiguration } from '../../src/runtime/merge-daemon-configuration.ts';

const runtime = { name: 'runsc', path: '/cache/runsc', runtimeArgs: ['--network=host'] };
const entry = { path: '/cache/runsc', runtimeArgs: ['--network=host'] };

test.each([
  ['no file', null, { runtimes: { runsc: entry } }],
  ['an empty one', '\n', { runtimes: { runsc: entry } }],
  ['other settings', '{"data-root":"/data","log-opts":{"max-size":"1m"}}', { 'data-root': '/data', 'log-opts': { 'max-size': '1m' }, runtimes: { runsc: entry } }],
  ['other runtimes', '{"runtimes":{"kata":{"runtimeType":"io.containerd.kata.v2"}},"debug":true}', { runtimes: { kata: { runtimeType: 'io.containerd.kata.v2' }, runsc: entry }, debug: true }],
])('%s', (_, text, expected) => {
  const merged = mergeDaemonConfiguration(text, runtime);
  expect(merged.ok && JSON.parse(merged.text)).toEqual(expected);
});

test('it stays indented as it was', () => {
  expect(mergeDaemonConfiguration('{\n\t"debug": true\n}\n', { ...runtime, runtimeArgs: [] })).toEqual({
    ok: true, text: '{\n\t"debug": true,\n\t"runtimes": {\n\t\t"runsc": {\n\t\t\t"path": "/cache/runsc",\n\t\t\t"runtimeArgs": []\n\t\t}\n\t}\n}\n',
  });
});

test.each([
  ['{ "debug": true, }', 'it is not a JSON object'],
  ['[]', 'it is not a JSON object'],
  ['{"runtimes":[]}', 'its `runtimes` is not an object'],
  ['{"runtimes":{"runsc":{"path":"/elsewhere"}}}', 'it has a runtime `runsc` that the engine did not take up'],
])('%s is left alone', (text, problem) => {
  expect(mergeDaemonConfiguration(text, runtime)).toMatchObject({ ok: false, problem });
});
