import { afterAll, beforeAll, expect, test } from 'vitest';
import { settled } from '../integration/support/footprint.ts';
import { decoy, runDecoy, startDecoy } from '../integration/support/run-decoy.ts';
import { openWorkspace, type Workspace } from '../integration/support/workspace.ts';
import { openOwnEngine, type OwnEngine } from './support/own-engine.ts';

// I11, I13, I14
let workspace: Workspace;
let engine: OwnEngine;
beforeAll(async () => {
  workspace = await openWorkspace();
  engine = await openOwnEngine();
}, 60_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await workspace[Symbol.asyncDispose]();
}, 60_000);

const value = 'sk-real-0123456789abcdef0123';
const options = () => ({ cwd: workspace.path, env: { DOCKER_HOST: engine.dockerHost, KEY: value } });
const secret = ['--secret', 'KEY@api.example.test'];
/** What the untrusted command is seen by, from without. */
const marked = 'sleep 4711';
const isRunning = async () => (await engine.processes()).filter((line) => line.endsWith(marked));

test.each<[string, 'SIGKILL' | 'SIGTERM', boolean]>([
  ['is killed', 'SIGKILL', false],
  ['is stopped', 'SIGTERM', false],
  ['is restarted', 'SIGTERM', true],
])('an engine that %s ends the run, and the command with it, though nobody is there to end it', async (_, signal, isRestarted) => {
  const running = startDecoy([...secret, '--', 'sh', '-c', `echo > written; echo ready; ${marked}`], options());
  await running.printed('ready');
  // The control: the look from without finds it.
  expect(await settled(async () => ((await isRunning()).length > 0 ? [] : ['not yet']))).toEqual([]);
  await engine.signal(signal);
  if (isRestarted) {
    await engine.ended();
    await engine.start();
  }
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 125, patch: '', report: { conclusion: 'error', exitCode: 125 } });
  expect(end.report!.error).toMatch(isRestarted ? /the Docker engine (at .* ended during the run: start it again|was stopped)|its engine was restarted|its container is gone/ : /^the Docker engine at .* ended during the run: start it again/);
  expect(await settled(isRunning)).toEqual([]);
  if (!isRestarted) {
    const refused = await decoy(['clean'], options());
    expect([refused.exitCode, refused.stderr]).toEqual([125, expect.stringContaining('it is not running; start it')]);
    await engine.ended();
    await engine.start();
  }
  // What an engine says of containers it no longer has running may have come with it.
  expect(JSON.stringify(await engine.leftovers()) + end.stdout + end.stderr + end.reportText + end.auditLog).not.toContain(value);
  expect(await decoy(['clean'], options())).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await settled(() => engine.leftovers())).toEqual([]);
}, 90_000);

test('an engine that does not answer keeps nobody waiting for ever: not a run, nor one that starts, nor clean-up', async () => {
  const running = startDecoy([...secret, '--timeout', '5s', '--', 'sh', '-c', `echo ready; ${marked}`], options());
  await running.printed('ready');
  await engine.signal('SIGSTOP');
  try {
    const [end, beginning, cleaning] = await Promise.all([running.ended, runDecoy([...secret, '--', 'echo', 'ran'], options()), decoy(['clean'], options())]);
    expect(end, end.stderr).toMatchObject({ exitCode: 125, report: { conclusion: 'error', error: expect.stringMatching(/^the Docker engine at .* stopped answering during the run: restart it/) } });
    expect(beginning, beginning.stderr).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringMatching(/did not answer within 30 s: it hangs; restart it/) } });
    expect(cleaning).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('did not answer within 30 s') });
    // Nobody could tell the engine to end it: it has ended with the gateway.
    expect(await settled(isRunning)).toEqual([]);
  } finally {
    await engine.signal('SIGCONT');
  }
  expect(await decoy(['clean'], options())).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await settled(() => engine.leftovers())).toEqual([]);
}, 150_000);

test('an engine that stands still for some seconds and goes on does the run no harm', async () => {
  const running = startDecoy(['--quiet', '--', 'sh', '-c', 'echo ready; sleep 9; echo > written; echo done'], options());
  await running.printed('ready');
  await engine.signal('SIGSTOP');
  setTimeout(() => void engine.signal('SIGCONT'), 8_000);
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: 'ready\ndone\n', report: { conclusion: 'success' } });
  expect(end.patch).toContain('+++ b/written');
  expect(await settled(() => engine.leftovers())).toEqual([]);
}, 60_000);
