import { once } from 'node:events';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { EngineConnections } from '../../src/sandbox/engine-connections.ts';

const socketPath = path.join(os.tmpdir(), `engine-connections-${process.pid}.sock`);
const server = http.createServer((_, response) => response.end('OK'));
afterAll(() => server.close());

test('a library that describes the connections with all they hold is done at once', async () => {
  await once(server.listen(socketPath), 'listening');
  const agent = new EngineConnections();
  const [response] = await once(http.get({ socketPath, path: '/_ping', agent }), 'response') as [http.IncomingMessage];
  await once(response.resume(), 'end');
  expect(inspect({ path: '/_ping', agent }, { showHidden: true, depth: null })).toBe("{ path: '/_ping', agent: EngineConnections }");
  agent.destroy();
});
