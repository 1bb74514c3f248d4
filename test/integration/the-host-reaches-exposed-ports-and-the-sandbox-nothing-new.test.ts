import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { settled } from './support/footprint.ts';
import { onHost } from './support/on-host.ts';
import { decoy, runDecoy, startDecoy } from './support/run-decoy.ts';
import { openWorkspace, probes, type Workspace } from './support/workspace.ts';

// I20
let workspace: Workspace;
let folder: string;
beforeAll(async () => {
  workspace = await openWorkspace();
  folder = await mkdtemp(path.join(os.tmpdir(), 'exposed-'));
}, 60_000);
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

type Told = { exposed: [{ port: number; url: string; token: string; headers: Record<string, string> }, { port: number; socket: string }] };

/** Says on 8080 what it was sent, echoes WebSocket frames there, echoes bytes on 8081, and listens on 8082, which nobody exposed. */
const server = `
import base64, hashlib, http.server, socket, socketserver, threading, sys
class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        if self.headers.get('upgrade') == 'websocket':
            accept = base64.b64encode(hashlib.sha1((self.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest()).decode()
            self.wfile.write(('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: %s\\r\\n\\r\\n' % accept).encode())
            self.wfile.flush()
            head = self.rfile.read(2); mask = self.rfile.read(4); data = self.rfile.read(head[1] & 127)
            self.wfile.write(bytes([head[0], head[1] & 127]) + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))
            self.close_connection = True
            return
        body = (self.requestline + '\\n' + str(self.headers)).encode()
        self.send_response(200); self.send_header('content-length', str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *args): pass
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536): self.request.sendall(data)
class Threaded(socketserver.ThreadingTCPServer): allow_reuse_address = True
for port in (8081, 8082): threading.Thread(target=Threaded(('127.0.0.1', port), Echo).serve_forever, daemon=True).start()
web = http.server.ThreadingHTTPServer(('127.0.0.1', 8080), Web)
print('up', flush=True)
web.serve_forever()
`;

test('the host reaches the ports that were named, by HTTP, WebSocket and a socket of its own, and nobody without the token does', async () => {
  const file = path.join(folder, 'exposed.json');
  const socketPath = path.join(folder, 'echo.sock');
  const running = startDecoy(['--expose', '8080', '--expose', `${socketPath}:8081`, '--expose-file', file, '--', 'python3', '-c', server], { cwd: workspace.path });
  await running.printed('up');
  const [web, raw] = (JSON.parse(readFileSync(file, 'utf8')) as Told).exposed;
  expect([statSync(file).mode & 0o777, statSync(socketPath).mode & 0o777, raw]).toEqual([0o600, 0o600, { port: 8081, socket: socketPath }]);
  expect(web).toMatchObject({ port: 8080, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/) });

  const curl = (...args: string[]) => onHost(['curl', '-s', '-S', '--max-time', '20', ...args]);
  const seen = await curl('-H', `x-decoy-token: ${web.token}`, '-H', 'authorization: Bearer of-the-server', `${web.url}a?b=1`);
  expect(seen.stdout).toMatch(/^GET \/a\?b=1 HTTP\/1\.1\n/);
  expect(seen.stdout).toContain('authorization: Bearer of-the-server');
  const byUrl = await curl(`${web.url.replace('://', `://any:${web.token}@`)}`);
  expect(byUrl.stdout).toMatch(/^GET \/ HTTP/);
  for (const { stdout } of [seen, byUrl]) expect(stdout).not.toMatch(new RegExp(`${web.token}|${Buffer.from(`any:${web.token}`).toString('base64')}|decoy`, 'i'));
  const socket = new WebSocket(web.url.replace('http', 'ws'), { headers: web.headers });
  await once(socket, 'open');
  socket.send('hello');
  expect(String((await once(socket, 'message'))[0])).toBe('hello');
  socket.terminate();
  expect(await onSocket(socketPath, 'bytes')).toBe('bytes');

  // Nobody but who has the token: not another user, not another address of the host.
  expect((await curl('-o', '/dev/null', '-w', '%{http_code}', web.url)).stdout).toBe('401');
  const outward = Object.values(os.networkInterfaces()).flat().find((address) => address?.internal === false && address.family === 'IPv4')?.address;
  for (const address of [outward, '127.0.0.2', '[::1]']) if (address !== undefined) expect((await curl('-H', `x-decoy-token: ${web.token}`, web.url.replace('127.0.0.1', address))).exitCode, address).toBe(7);
  if (process.getuid?.() === 0) {
    const nobody = await onHost(['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', 'python3', path.join(probes, 'connect.py'), `unix,${socketPath},`]);
    expect(nobody.stdout).toContain('PermissionError');
  }
  running.kill('SIGTERM');
  const end = await running.ended;
  expect(end).toMatchObject({ exitCode: 143, report: { exposed: [{ port: 8080, url: web.url, requests: 3, refused: 1 }, { port: 8081, socket: socketPath, connections: 1, refused: 0 }] } });
  // Nothing that is kept or printed has the token, and nothing of it is left.
  for (const text of [end.reportText, end.auditLog, end.stderr]) expect(text).not.toContain(web.token);
  expect(end.stderr).toContain(`decoy: port 8080 of the sandbox is ${web.url} with the token in ${file}\n`);
  expect([existsSync(file), existsSync(socketPath), (await curl(web.url)).exitCode]).toEqual([false, false, 7]);
}, 90_000);

test('the sandbox cannot use the way: not to the host, not to its own server through it, not to another sandbox, and it sees nothing of it', async () => {
  await using host = await startHost();
  const otherFile = path.join(folder, 'other.json');
  const other = startDecoy(['--quiet', '--expose', '8080', '--expose-file', otherFile, '--', 'python3', '-c', server], { cwd: workspace.path });
  await other.printed('up');
  const [otherWeb] = (JSON.parse(readFileSync(otherFile, 'utf8')) as Told).exposed;
  const otherPort = new URL(otherWeb.url).port;
  const outward = Object.values(os.networkInterfaces()).flat().find((address) => address?.internal === false && address.family === 'IPv4')?.address ?? '127.0.0.1';
  const targets = [`tcp,127.0.0.1,${otherPort}`, `tcp,127.0.0.1,${host.port}`, `tcp,${outward},${otherPort}`, `tcp,172.17.0.1,${otherPort}`, `tcp,198.18.0.1,${otherPort}`];
  const hostPort = await freePort();
  const file = path.join(folder, 'attacked.json');
  const script = `
python3 -c "$SERVER" & sleep 1
python3 probes/connect.py ${targets.join(' ')} tcp,127.0.0.1,${hostPort}
for place in /run/decoy /tmp/decoy-* ${folder} ${file}; do [ -e $place ] && echo "SEEN $place"; done
find / -xdev -name 'expose-*' -not -path '/proc/*' 2>/dev/null | sed 's/^/SEEN /'
socket=$(grep -ao '/run/decoy/expose-[^ ]*' /proc/net/unix); python3 probes/connect.py "unix,$socket," "unix,/proc/1/root$socket," | sed 's/^/NAMED /'
curl -s http://127.0.0.1:8080/ | sed 's/^/OWN /'
echo done; sleep 600`;
  const running = startDecoy(['--quiet', '--env', `SERVER=${server}`, '--expose', `${hostPort}:8080`, '--expose-file', file, '--', 'bash', '-c', script], { cwd: workspace.path });
  await running.printed('done');
  // Meanwhile the host does reach it, and through it neither a port that was not named nor another address.
  const [web] = (JSON.parse(readFileSync(file, 'utf8')) as Told).exposed;
  const headers = { 'x-decoy-token': web.token };
  expect((await fetch(web.url, { headers })).status).toBe(200);
  for (const target of [`http://127.0.0.1:8082/`, `http://127.0.0.1:${host.port}/`, 'http://169.254.169.254/']) {
    const [answer] = await once(http.request(web.url, { path: target, headers, agent: false }).end(), 'response') as [http.IncomingMessage];
    // It went to the server of port 8080, whatever it asked for.
    let body = '';
    for await (const piece of answer) body += String(piece);
    expect(body).toMatch(new RegExp(`^GET ${target} HTTP/1\\.1\\n`));
  }
  // One port's token is nobody else's.
  expect((await fetch(otherWeb.url, { headers })).status).toBe(401);
  running.kill('SIGTERM');
  other.kill('SIGTERM');
  const [end] = await Promise.all([running.ended, other.ended]);
  const attempts = end.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { target: string; reached: boolean });
  expect(attempts.map(({ target }) => target)).toEqual([...targets, `tcp,127.0.0.1,${hostPort}`]);
  expect(attempts.filter(({ reached }) => reached)).toEqual([]);
  expect(end.stdout).not.toContain('SEEN');
  // The kernel tells the name of the gateway's socket, as it is of the same network; the name leads nowhere.
  expect(end.stdout).toMatch(/NAMED .*"unix,\/run\/decoy\/expose-8080.sock,", "reached": false, "why": "FileNotFoundError/);
  expect(end.stdout.match(/NAMED .*"reached": false/g)).toHaveLength(2);
  // The control: the sandbox's own port is there for it, and the host reaches its own.
  expect(end.stdout).toContain('OWN GET / HTTP/1.1');
  expect(host.contacts()).toBe(0);
  expect((await onHost(['python3', path.join(probes, 'connect.py'), `tcp,127.0.0.1,${host.port}`])).stdout).toContain('"reached": true');
}, 90_000);

test('after SIGKILL of Decoy nothing listens, and the next run takes the same places', async () => {
  const socketPath = path.join(folder, 'killed.sock');
  const hostPort = await freePort();
  const args = ['--quiet', '--expose', `${hostPort}:8080`, '--expose', `${socketPath}:8081`];
  const killed = startDecoy([...args, '--', 'python3', '-c', server], { cwd: workspace.path });
  await killed.printed('up');
  expect(await onSocket(socketPath, 'there')).toBe('there');
  killed.kill('SIGKILL');
  await killed.ended;
  await expect(onSocket(socketPath, 'gone')).rejects.toThrow(/ECONNREFUSED/);
  expect((await onHost(['curl', '-s', `http://127.0.0.1:${hostPort}/`])).exitCode).toBe(7);
  expect(await decoy(['clean'])).toMatchObject({ exitCode: 0 });
  const again = await runDecoy([...args, '--', 'true'], { cwd: workspace.path });
  expect(again, again.stderr).toMatchObject({ exitCode: 0 });
  expect(await settled(() => (existsSync(socketPath) ? [socketPath] : []))).toEqual([]);
}, 90_000);

test('what cannot be exposed is refused, and nothing is started', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const started = await runDecoy(['--quiet', '--expose', `${port}:8080`, '--', 'echo', 'STARTED'], { cwd: workspace.path });
  taken.close();
  expect(started).toMatchObject({ exitCode: 125, report: { conclusion: 'error', error: expect.stringContaining(`expose: cannot listen on 127.0.0.1:${port} (EADDRINUSE)`) } });
  const refused = await runDecoy(['--expose', '443', '--expose-file', path.join(workspace.path, 'exposed.json'), '--', 'echo', 'STARTED'], { cwd: workspace.path });
  expect(refused.exitCode).toBe(125);
  expect(refused.stderr).toContain('expose: `443` is a port on which Decoy answers');
  expect(refused.stderr).toContain('expose-file: the sandbox could read');
  for (const { stdout } of [started, refused]) expect(stdout).not.toContain('STARTED');
}, 90_000);

async function onSocket(file: string, text: string): Promise<string> {
  const socket = net.connect({ path: file, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.end(text);
  let answer = '';
  for await (const piece of socket) answer += String(piece);
  return answer;
}

async function freePort(): Promise<number> {
  const server_ = net.createServer().listen(0, '127.0.0.1');
  await once(server_, 'listening');
  const { port } = server_.address() as net.AddressInfo;
  await new Promise((closed) => server_.close(closed));
  return port;
}

async function startHost() {
  let contacts = 0;
  const service = net.createServer((socket) => {
    contacts += 1;
    socket.on('error', () => {}).end('hello');
  });
  await once(service.listen(0, '127.0.0.1'), 'listening');
  return { port: (service.address() as net.AddressInfo).port, contacts: () => contacts, [Symbol.asyncDispose]: async () => void service.close() };
}
