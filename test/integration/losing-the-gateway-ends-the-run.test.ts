import { expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { footprint, settled } from './support/footprint.ts';
import { decoy, startDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace } from './support/workspace.ts';

// I14
test('killing the gateway ends the run as an error, and the sandbox reaches nothing after it', async () => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((_, response) => void response.end('answer'));
  const script = 'curl -sS https://allowed.example.test/before; echo; echo ready; sleep 1; while :; do curl -sS -m 1 https://allowed.example.test/after && echo REACHED; sleep 0.2; done';
  const running = startDecoy(
    ['--quiet', '--allow', 'allowed.example.test', '--timeout', '30s', ...upstream.resolve('allowed.example.test'), '--', 'sh', '-c', script],
    { cwd: workspace.path, env: upstream.env },
  );
  await running.printed('ready');
  // The control: with the gateway the same request arrives.
  expect(upstream.received.map(({ url }) => url)).toEqual(['/before']);
  const [id = ''] = (await docker(['ps', '-q', '--filter', `label=decoy.pid=${running.pid}`, '--filter', 'name=-gateway'])).stdout.split('\n');
  expect((await docker(['kill', '--signal', 'KILL', id])).code).toBe(0);
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 125, report: { conclusion: 'error' } });
  expect(end.report!.error).toContain('gateway');
  expect(end.wallSeconds).toBeLessThan(20);
  expect(end.stdout).not.toContain('REACHED');
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);

test('without a running Decoy there is no network either: the proxy is in that process', async () => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((_, response) => void response.end('answer'));
  const running = startDecoy(
    ['--quiet', '--allow', 'allowed.example.test', ...upstream.resolve('allowed.example.test'), '--', 'sh', '-c', 'curl -sS https://allowed.example.test/before; echo ready; sleep 1; curl -sS https://allowed.example.test/after; sleep 60'],
    { cwd: workspace.path, env: upstream.env },
  );
  await running.printed('ready');
  const ids = (await docker(['ps', '-q', '--filter', `label=decoy.pid=${running.pid}`])).stdout.split('\n').filter(Boolean);
  expect(ids.length).toBe(3);
  const label = (await docker(['inspect', '--format', '{{index .Config.Labels "decoy.run"}}', ids[0] as string])).stdout.trim();
  running.kill('SIGKILL');
  await running.ended;
  // Every container ends with the connection to Decoy: nobody has to come and clean up for the code to stop.
  const left = () => docker(['ps', '-q', '--filter', `label=decoy.run=${label}`]).then(({ stdout }) => stdout.split('\n').filter(Boolean));
  expect(await settled(left, 20)).toEqual([]);
  expect(upstream.received.map(({ url }) => url)).toEqual(['/before']);
  expect((await decoy(['clean', '--run', label])).exitCode).toBe(0);
  expect(await settled(() => footprint(label))).toEqual([]);
}, 60_000);
