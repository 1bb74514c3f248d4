import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openExposed } from '../../src/expose/open-exposed.ts';

let folder: string;
beforeAll(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'serve-socket-')); });
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const expose = (file: string, connect: () => Promise<net.Socket | null>, exposedFile: string | null = null) => openExposed({ requests: [{ port: 5432, at: { kind: 'socket', path: file } }], file: exposedFile }, connect);

async function openEcho() {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  return { connect: async () => net.connect({ port, allowHalfOpen: true }), [Symbol.asyncDispose]: async () => void server.close() };
}

test('any protocol goes through a socket that this user alone may use; both ends are delivered whole', async () => {
  const file = path.join(folder, 'a.sock');
  await using echo = await openEcho();
  {
    await using opened = await expose(file, echo.connect);
    expect([opened.exposed, fs.statSync(file).mode & 0o777]).toEqual([[{ port: 5432, socket: file }], 0o600]);
    const socket = net.connect({ path: file, allowHalfOpen: true });
    const body = Buffer.alloc(2_000_000, 'xyz');
    socket.end(body);
    const pieces: Buffer[] = [];
    for await (const piece of socket) pieces.push(piece as Buffer);
    expect(Buffer.concat(pieces).equals(body)).toBe(true);
    expect(opened.usage()).toEqual([{ port: 5432, socket: file, connections: 1, refused: 0 }]);
  }
  expect(fs.existsSync(file)).toBe(false);
});

test('where nobody listens the connection ends', async () => {
  const file = path.join(folder, 'b.sock');
  await using _ = await expose(file, async () => null);
  await once(net.connect(file).on('error', () => {}), 'close');
});

test('a socket that a killed run left is replaced; any other file is kept', async () => {
  await using echo = await openEcho();
  const stale = path.join(folder, 'c.sock');
  const left = net.createServer().listen(stale);
  await once(left, 'listening');
  await expect(expose(stale, echo.connect)).rejects.toThrow(/is there already: remove it/);
  // A hard link stays when the server's own name for it goes.
  fs.linkSync(stale, `${stale}.kept`);
  await new Promise((closed) => left.close(closed));
  fs.renameSync(`${stale}.kept`, stale);
  await using _ = await expose(stale, echo.connect);
  const file = path.join(folder, 'd.sock');
  fs.writeFileSync(file, 'mine');
  await expect(expose(file, echo.connect)).rejects.toThrow(/is there already/);
  expect(fs.readFileSync(file, 'utf8')).toBe('mine');
});

test('the file that tells where the ports are is this user\'s alone, and is there as long as they are', async () => {
  const file = path.join(folder, 'exposed.json');
  fs.writeFileSync(file, 'of an earlier run', { mode: 0o644 });
  {
    await using opened = await openExposed({ requests: [{ port: 8080, at: { kind: 'http', hostPort: null } }, { port: 8081, at: { kind: 'http', hostPort: null } }], file }, async () => null);
    const [one, two] = opened.exposed as { url: string; token: string }[];
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toEqual({ version: 1, exposed: [{ port: 8080, ...one, headers: { authorization: `Bearer ${one!.token}` } }, { port: 8081, ...two, headers: { authorization: `Bearer ${two!.token}` } }] });
    // Each port has a token of its own.
    expect(one!.token).toMatch(/^[\w-]{43}$/);
    expect((await fetch(two!.url, { headers: { 'x-decoy-token': one!.token } })).status).toBe(401);
  }
  expect(fs.existsSync(file)).toBe(false);
  await expect(openExposed({ requests: [{ port: 8080, at: { kind: 'http', hostPort: null } }], file: '/no/such/directory/file' }, async () => null)).rejects.toThrow(/^expose-file: cannot write `\/no\/such\/directory\/file` \(ENOENT\)/);
});

test('a port of the host that is taken is told with what to do', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  await expect(openExposed({ requests: [{ port: 8080, at: { kind: 'http', hostPort: port } }], file: null }, async () => null)).rejects.toThrow(`expose: cannot listen on 127.0.0.1:${port} (EADDRINUSE): give another port`);
  taken.close();
});
