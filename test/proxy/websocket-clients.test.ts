import { once } from 'node:events';
import { Agent, WebSocket as UndiciWebSocket } from 'undici';
import { expect, test } from 'vitest';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { echo, openSocketBench } from './open-socket-bench.ts';

// The client Node has built in: it offers compression, and is strict about the handshake's answer.
test('Node\'s own WebSocket: messages of both kinds, a subprotocol, a close, and a message that is stopped', async () => {
  const secrets = mintSecrets([{ name: 'KEY', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value: 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH' }]);
  await using service = await openSocketBench(echo, { secrets, server: { noServer: true, perMessageDeflate: true } });
  await using agent = destroyable(new Agent({ connect: (_, done) => {
    const connection = service.bench.tls('api.test').once('secureConnect', () => done(null, connection));
  } }));
  const open = () => new UndiciWebSocket('wss://api.test/live', { protocols: ['v1'], dispatcher: agent.agent, headers: { authorization: `Bearer ${secrets[0]!.placeholder}` } });
  const socket = open();
  socket.binaryType = 'arraybuffer';
  await once(socket, 'open');
  expect([socket.protocol, socket.extensions]).toEqual(['v1', expect.stringMatching(/^permessage-deflate/)]);
  for (const message of ['hällo', 'long '.repeat(50_000), new Uint8Array(70_000).fill(7)]) {
    socket.send(message);
    const [{ data }] = await once(socket, 'message') as [MessageEvent];
    expect(typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer)).toEqual(message);
  }
  socket.close(3000, 'enough');
  expect(await once(socket, 'close')).toMatchObject([{ code: 3000, reason: 'enough', wasClean: true }]);

  const second = open();
  await once(second, 'open');
  second.send(JSON.stringify({ key: secrets[0]!.placeholder }));
  expect(await once(second, 'close')).toMatchObject([{ code: 1008, reason: 'blocked by decoy: placeholder-wrong-place' }]);
  expect(await service.bench.entriesOf(2)).toMatchObject([{ decision: 'allowed', secrets: [{ substitutions: 1 }] }, { decision: 'blocked', secrets: [{ substitutions: 1, refusals: 1 }] }]);
});

function destroyable(agent: Agent) {
  return { agent, [Symbol.asyncDispose]: () => agent.destroy() };
}
