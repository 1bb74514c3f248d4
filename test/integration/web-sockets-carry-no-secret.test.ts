import type http from 'node:http';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { runDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';

// I5, I6: the handshake carries the secret to its host, messages carry it nowhere, and what comes back is scrubbed.
const secret = 'sk-0123456789abcdefghijklmnopqrstuvwxyz';

/** Node's own client. Each line it prints is one connection: what was said, and how it ended. */
const client = `
const key = process.env.API_KEY;
const talk = (label, url, ...messages) => new Promise((done) => {
  const heard = [];
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send(messages.shift());
  socket.onmessage = ({ data }) => {
    heard.push(data);
    if (messages.length > 0) socket.send(messages.shift());
    else socket.close(1000);
  };
  let isOver = false;
  const end = (how) => {
    if (!isOver) done(console.log(label, how, JSON.stringify(heard).replaceAll(key, 'PLACEHOLDER')));
    isOver = true;
  };
  socket.onclose = ({ code }) => end(code);
  // Of a refused handshake Node 20 tells this alone.
  socket.onerror = () => end('error');
});
await talk('ECHO', 'wss://api.example.test/live?key=' + key, 'hello', 'x'.repeat(5000));
await talk('SCRUBBED', 'wss://api.example.test/live?key=' + key, 'what is my key');
await talk('STOPPED', 'wss://api.example.test/live?key=' + key, 'the key is ' + key.slice(0, 10), key.slice(10) + ' and this does not arrive');
await talk('OTHER-HOST', 'wss://other.example.test/live', 'hello', 'the key is ' + key);
await talk('HANDSHAKE', 'wss://other.example.test/live?key=' + key, 'hello');
await talk('NO-RULE', 'wss://none.example.test/live', 'hello');
`;

test('a program in the sandbox talks over WebSocket; its secret goes in the handshake, not in messages, and never comes back', async () => {
  await using upstream = await startUpstream((_, response) => void response.end());
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  const asked: string[] = [];
  const received: string[] = [];
  upstream.server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    asked.push(`${request.headers.host}${request.url}`);
    sockets.handleUpgrade(request, socket, head, (accepted) => accepted.on('message', (data) => {
      received.push(String(data));
      accepted.send(String(data) === 'what is my key' ? JSON.stringify({ key: new URL(request.url!, 'https://x').searchParams.get('key') }) : String(data).slice(0, 20));
    }));
  });
  const end = await runDecoy([
    '--quiet', '--workspace', 'none', '--secret', 'API_KEY@api.example.test;in=query:key', '--allow', 'other.example.test',
    ...upstream.resolve('api.example.test', 'other.example.test', 'none.example.test'), '--', 'node', '--experimental-websocket', '--no-warnings', '--input-type=module', '-e', client,
  ], { env: { ...upstream.env, API_KEY: secret } });
  expect(end.stdout.trim().split('\n'), end.stderr).toEqual([
    `ECHO 1000 ["hello","${'x'.repeat(20)}"]`, 'SCRUBBED 1000 ["{\\"key\\":\\"PLACEHOLDER\\"}"]', expect.stringMatching(/^STOPPED 1008 \["the key is .{0,9}"\]$/),
    'OTHER-HOST 1008 ["hello"]', 'HANDSHAKE error []', 'NO-RULE error []',
  ]);

  // The control: the real value is in each handshake with its host.
  expect(asked).toEqual([...Array.from({ length: 3 }, () => `api.example.test/live?key=${secret}`), 'other.example.test/live']);
  expect(received.slice(0, 4)).toEqual(['hello', 'x'.repeat(5000), 'what is my key', expect.stringMatching(/^the key is /)]);
  expect(received.slice(4)).toEqual(['hello']);
  for (const text of [end.stdout, end.reportText, end.auditLog]) expect(text).not.toContain(secret);
  expect(end.report).toMatchObject({ secrets: [{ name: 'API_KEY', substitutions: 3, scrubs: 1, refusals: 3 }] });
  expect(end.auditLog.match(/"status":101/g)).toHaveLength(4);
}, 90_000);
