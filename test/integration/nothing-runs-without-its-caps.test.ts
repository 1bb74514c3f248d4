import { expect, test } from 'vitest';
import { openAlteringEngine } from './support/open-altering-engine.ts';
import { runDecoy } from './support/run-decoy.ts';

// I7, I8: an engine that cannot enforce a cap leaves it out, and says so in a warning nobody reads.
const command = ['--quiet', '--workspace', 'none', '--', 'echo', 'started'];
const isSandbox = (spec: { [field: string]: unknown }) => JSON.stringify(spec['Entrypoint']) === '["/decoy-guest","init"]';

test.each([
  ['Memory', 'memory'], ['NanoCpus', 'cpus'], ['PidsLimit', 'pids'],
])('an engine that drops %s', async (field, named) => {
  await using engine = await openAlteringEngine((spec) => {
    if (!isSandbox(spec)) return;
    delete spec.HostConfig[field];
    if (field === 'Memory') delete spec.HostConfig['MemorySwap'];
  });
  const end = await runDecoy(command, { env: { DOCKER_HOST: engine.dockerHost } });
  expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', exitCode: 125 } });
  expect(end.report!.error).toMatch(new RegExp(`^the Docker engine cannot cap ${named}[ ,].*: enable the cgroup controllers`));
}, 60_000);

test.each([
  ['its seccomp filter', 'seccomp=unconfined'], ['no_new_privs', 'no-new-privileges=false'],
])('an engine that starts containers without %s', async (_, option) => {
  await using engine = await openAlteringEngine((spec) => {
    if (isSandbox(spec)) spec.HostConfig['SecurityOpt'] = option.startsWith('seccomp') ? ['no-new-privileges=true', option] : [option];
  });
  const end = await runDecoy(command, { env: { DOCKER_HOST: engine.dockerHost } });
  expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringMatching(/^the engine /) } });
  expect(end.stderr).toContain('decoy: the engine ');
}, 60_000);

test('an engine that is asked for nothing else runs the command', async () => {
  await using engine = await openAlteringEngine(() => {});
  expect(await runDecoy(command, { env: { DOCKER_HOST: engine.dockerHost } })).toMatchObject({ exitCode: 0, stdout: 'started\n', stderr: '' });
}, 60_000);
