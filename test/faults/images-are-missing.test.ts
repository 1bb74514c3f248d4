import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from '../integration/guest-image.ts';
import { footprint, settled } from '../integration/support/footprint.ts';
import { runDecoy, startDecoy } from '../integration/support/run-decoy.ts';
import { startRegistry, type Registry } from '../integration/support/start-registry.ts';
import { busybox, file, openTestImage, type TestImage } from '../integration/support/test-image.ts';
import { stopAtRequest } from './support/stop-at-request.ts';

// I11, I13
let image: TestImage;
let registry: Registry;
beforeAll(async () => {
  image = openTestImage({ entries: [...busybox('sh', 'echo'), file('seed', `${Math.random()}`)] });
  registry = await startRegistry();
  await registry.push(image.reference, 'team/tools:1.0');
}, 60_000);
afterAll(async () => {
  await docker(['rmi', '-f', `${registry.host}/team/tools:1.0`]);
  await registry[Symbol.asyncDispose]();
  await image[Symbol.asyncDispose]();
});

const args = (reference: string) => ['--image', reference, '--workspace', 'none', '--', 'echo', 'ran'];

test.each([
  ['its registry does not have', () => `${registry.host}/team/none:1.0`, /^cannot pull ".*\/team\/none:1\.0" \(.*\): there is no such image; check the name and the tag$/],
  ['its registry does not have in that version', () => `${registry.host}/team/tools:2.0`, /^cannot pull ".*\/team\/tools:2\.0" \(.*\): there is no such image; check the name and the tag$/],
  ['comes from a registry that is not there', () => '127.0.0.1:1/team/tools:1.0', /^cannot pull "127\.0\.0\.1:1\/team\/tools:1\.0" \(.*connection refused.*\): see that the engine reaches 127\.0\.0\.1:1/],
])('an image that %s', async (_, reference, message) => {
  const end = await runDecoy(args(reference()));
  expect(end, end.stderr).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringMatching(message) } });
  expect(await footprint(end.report!.id)).toEqual([]);
}, 60_000);

test('an image that goes from the engine between being found and being used', async () => {
  await using other = openTestImage({ entries: [...busybox('sh', 'echo'), file('seed', `${Math.random()}`)] });
  await docker(['tag', other.reference, 'decoy-vanishing:1']);
  await using engine = await stopAtRequest(/^POST \/containers\/create\?name=image/);
  const running = startDecoy(args('decoy-vanishing:1'), { env: { DOCKER_HOST: engine.dockerHost } });
  await Promise.race([engine.reached, running.ended.then((end) => { throw new Error(end.stderr); })]);
  await docker(['rmi', '-f', 'decoy-vanishing:1', other.reference]);
  engine.goOn();
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringMatching(/^cannot create the image "decoy-vanishing:1" container: No such image: .*: something removed it meanwhile; run it again$/) } });
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);

test('an image whose layers go from the registry in the middle of the pull', async () => {
  await docker(['rmi', '-f', image.reference]);
  const asked = registry.holdBlobs();
  const running = startDecoy(args(`${registry.host}/team/tools:1.0`));
  await Promise.race([asked, running.ended.then((end) => { throw new Error(end.stderr); })]);
  registry.loseBlobs();
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error', error: expect.stringMatching(/^cannot pull ".*\/team\/tools:1\.0" \(.*(unknown|not found).*\): /) } });
  expect(await footprint(end.report!.id)).toEqual([]);
}, 120_000);
