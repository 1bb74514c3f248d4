import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { defaultDialTimeouts } from '../../src/proxy/dial.ts';
import { ask, openBench, portOf, type SetUp } from './open-bench.ts';

/** A bench that counts the connections its upstream accepts. */
async function openCounted(upstream: SetUp['upstream'] & {}) {
  const bench = await openBench({ upstream });
  const sockets: Socket[] = [];
  bench.servers.https.on('secureConnection', (socket: Socket) => sockets.push(socket));
  return { bench, sockets, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

describe('connections to upstreams', () => {
  test('requests one after the other share one, whichever connection of the sandbox they come from', async () => {
    await using counted = await openCounted((_, response) => void response.end('ok'));
    const agent = counted.bench.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 5; i++) expect((await ask(agent, { headers: { host: 'api.test' } })).status).toBe(200);
    for (let i = 0; i < 5; i++) expect((await ask(counted.bench.agentTo('api.test'), { headers: { host: 'api.test' } })).status).toBe(200);
    expect(counted.sockets).toHaveLength(1);
  });

  test('one that was closed while idle is replaced', async () => {
    await using counted = await openCounted((_, response) => void response.end('ok'));
    const agent = counted.bench.agentTo('api.test');
    expect((await ask(agent, { headers: { host: 'api.test' } })).status).toBe(200);
    counted.sockets[0]!.end();
    await once(counted.sockets[0]!, 'close');
    expect((await ask(agent, { method: 'POST', headers: { host: 'api.test' }, body: 'x' })).status).toBe(200);
    expect(counted.sockets).toHaveLength(2);
  });

  test.each([['GET', 200, 2], ['POST', 502, 1]])('one that closes as a %s is sent into it: %i', async (method, status, count) => {
    let requests = 0;
    await using counted = await openCounted((request, response) => {
      if (++requests === 2) request.socket.destroy();
      else response.end('ok');
    });
    const agent = counted.bench.agentTo('api.test');
    expect((await ask(agent, { headers: { host: 'api.test' } })).status).toBe(200);
    expect((await ask(agent, { method, headers: { host: 'api.test' }, ...(method === 'POST' ? { body: 'x' } : {}) })).status).toBe(status);
    expect(counted.sockets).toHaveLength(count);
  });
});

describe('an upstream that does not answer is given up', () => {
  const reasonOf = async (port: number, upstreamTimeouts: object) => {
    await using bench = await openBench({ options: { upstreamTimeouts, resolve: [{ host: 'api.test', port: 443, address: '127.0.0.1', addressPort: port }] } });
    const { status, body } = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } });
    const { reason, remedy } = JSON.parse(body.toString()) as { reason: string; remedy: string };
    return [status, reason, remedy];
  };

  test('by default after the times the documentation gives', () => {
    expect(defaultDialTimeouts).toEqual({ attemptMs: 10_000, handshakeMs: 15_000, tunnelMs: 30_000 });
  });

  test('in the TLS handshake', async () => {
    const closed: Promise<unknown>[] = [];
    const silent = createServer((socket) => {
      closed.push(once(socket.on('error', () => undefined).resume(), 'close'));
    });
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    expect(await reasonOf(portOf(silent), { handshakeMs: 50 })).toEqual([502, 'upstream-tls', expect.stringContaining('(ETIMEDOUT)')]);
    // Nothing of it is kept open.
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
    silent.close();
  });

  test('before the connection is there', async () => {
    // Linux drops what a listener's queue has no place for; Node itself would accept.
    const deaf = spawn('python3', ['-c', 'import socket, sys\ns = socket.socket()\ns.bind(("127.0.0.1", 0))\ns.listen(0)\nprint(s.getsockname()[1], flush=True)\nsys.stdin.read()']);
    const [line] = await once(deaf.stdout, 'data') as [Buffer];
    const port = Number(line.toString());
    const first = connect(port, '127.0.0.1');
    await once(first, 'connect');
    expect(await reasonOf(port, { attemptMs: 50 })).toEqual([502, 'upstream-unreachable', expect.stringContaining('(ETIMEDOUT)')]);
    first.destroy();
    deaf.stdin.end();
    await once(deaf, 'exit');
  });
});
