import Docker from 'dockerode';
import { expect, test } from 'vitest';
import { obeyedCommands } from './runner-commands.ts';
import { startRunner } from './run-action.ts';

test('everything that is wrong with the inputs is said at once, the step ends with 125, nothing was started', async () => {
  await using runner = startRunner();
  const since = Math.floor(Date.now() / 1000);
  const { steps, outputs, log } = await runner.use({
    run: 'echo must-not-run', timeout: '31m', memory: 'lots', allow: 'https://example.com', secrets: 'KEY@api.example.com=short\nno secret at all',
    image: 'Alpine', policy: 'p.yml', runtime: 'run sc', volumes: 'a:/proc', 'snapshot-from': '!', 'snapshot-to': '?', mode: 'audit', workspace: 'rw',
    'fail-on-blocked': 'yes', shell: 'fish', pids: '1', env: '9=9', resolve: 'x',
  });

  expect(steps['run']?.exitCode).toBe(125);
  expect(outputs).toMatchObject({ 'exit-code': '125', conclusion: 'error' });
  const errors = obeyedCommands(steps['run']?.stdout ?? '').commands.filter(({ name }) => name === 'error').map(({ data }) => data).join('\n');
  for (const word of ['timeout: ', 'memory: ', 'allow: ', '`KEY`', 'line 2', 'image: ', 'policy: ', 'runtime: ', 'volumes: ', 'snapshot-from: ', 'snapshot-to: ', 'mode: ', 'workspace: ', 'fail-on-blocked: ', 'shell', 'pids: ', 'env: ', 'resolve: ']) {
    expect(errors).toContain(word);
  }
  expect(log.split('\n').filter((line) => line.includes('no secret at all'))).toEqual(['::add-mask::no secret at all']);
  expect(log).not.toMatch(/^must-not-run$/m);
  expect(await createdBy(steps['run']?.pid, since)).toEqual([]);
}, 60_000);

test.each([
  { what: 'nothing to run', inputs: { run: '' }, problem: 'nothing to run' },
  { what: 'an unknown option', inputs: { run: 'true', user: 'nobody' }, problem: 'user: "nobody" is not one of' },
])('$what is refused', async ({ inputs, problem }) => {
  await using runner = startRunner();
  const { steps } = await runner.use(inputs);
  expect(steps['run']?.exitCode).toBe(125);
  expect(steps['run']?.stdout.replaceAll('`', '"')).toContain(problem);
}, 60_000);

/** Whatever the engine made for the process with this id. */
async function createdBy(pid: number | undefined, since: number): Promise<string[]> {
  const filters = JSON.stringify({ label: [`decoy.pid=${pid}`] });
  const events = await new Docker().getEvents({ since, until: Math.ceil(Date.now() / 1000), filters });
  let text = '';
  for await (const chunk of events) text += String(chunk);
  return text.split('\n').filter((line) => line !== '');
}
