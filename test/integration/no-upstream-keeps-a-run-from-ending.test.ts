import type http2 from 'node:http2';
import { expect, test } from 'vitest';
import { runDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';

const client = `
const session = require('node:http2').connect('https://api.example.test');
const stream = session.request({ ':path': '/' });
stream.on('response', (headers) => console.log(headers[':status'])).resume().on('close', () => session.close());
`;

test('a run ends after its command, although an upstream over HTTP/2 said GOAWAY and keeps its end open', async () => {
  await using upstream = await startUpstream((_, response) => {
    const { stream } = response as unknown as http2.Http2ServerResponse;
    stream.session!.goaway(0, stream.id!);
    response.end('hello');
  }, { speaksHttp2: true });
  const end = await runDecoy(['--quiet', '--workspace', 'none', '--allow', 'api.example.test', ...upstream.resolve('api.example.test'), '--', 'node', '-e', client], { env: upstream.env });
  // Until here the upstream has closed nothing: it is disposed of after the run has ended.
  expect(end).toMatchObject({ exitCode: 0, stdout: '200\n', report: { conclusion: 'success' } });
  expect(upstream.received).toMatchObject([{ version: '2.0' }]);
}, 60_000);
