import { createServer, type Server, type Socket } from 'node:net'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { docker, openGuestImage, type GuestImage } from './guest-image.ts'

const uid = 1001
type Line = Record<string, unknown> & { type: string; name?: string; id?: number }
type Seen = { name: string; source: string; destination: string }

// AF_INET with AI_ADDRCONFIG: glibc finds nothing where 127.0.0.1 is the only address.
const addressConfigured = `
import socket
print(socket.getaddrinfo('api.allowed.test', 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)[0][4][0])
`

let image: GuestImage
let gateway: Gateway

beforeAll(async () => {
  image = openGuestImage()
  gateway = await startGateway({ ports: [80, 443, 5432], addresses: ['203.0.113.9'] })
}, 60_000)

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await image[Symbol.asyncDispose]()
}, 60_000)

describe('the gateway', () => {
  it('has dropped everything on all of its threads', async () => {
    // Root without capabilities may read another uid's status, but not its memory.
    const { stdout } = await inside(['sh', '-c', 'cat /proc/1/task/*/status'], ['--pid', `container:${gateway.id}`, '--user', '0'])
    const values = (key: string) => [...stdout.matchAll(new RegExp(`^${key}:[ \\t]*(.*?)[ \\t]*$`, 'gm'))].map((match) => match[1])
    const threads = values('Pid').length
    expect(threads).toBeGreaterThan(2)
    for (const key of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(values(key)).toEqual(Array(threads).fill('0000000000000000'))
    for (const key of ['Uid', 'Gid']) expect(values(key)).toEqual(Array(threads).fill(`${uid}\t${uid}\t${uid}\t${uid}`))
    expect(values('Groups')).toEqual(Array(threads).fill(''))
    expect(values('NoNewPrivs')).toEqual(Array(threads).fill('1'))
  })

  it('cannot be read by its own uid', async () => {
    const read = await inside(['sh', '-c', 'cat /proc/1/environ; ls /proc/1/fd'], ['--pid', `container:${gateway.id}`])
    expect(read.stderr.match(/Permission denied/g)).toHaveLength(2)
  })

  it.each([
    ['getent', ['getent', 'ahostsv4', 'api.allowed.test'], 0, /^198\.1[89]\.\d+\.\d+\s+STREAM api\.allowed\.test/],
    ['getent, both families', ['getent', 'ahosts', 'api.allowed.test'], 0, /^198\.1[89]\./],
    ['getent, a denied name', ['getent', 'ahosts', 'evil.test'], 2, /^$/],
    ['curl', ['curl', '-sS', '-m5', 'http://api.allowed.test/x'], 0, /^name=api\.allowed\.test$/],
    ['curl to a configured literal', ['curl', '-sS', '-m5', 'http://203.0.113.9/'], 0, /^name=203\.0\.113\.9$/],
    ['node, c-ares, IPv6', ['node', '-e', 'require("dns").resolve6("js.allowed.test",(e)=>console.log(e.code))'], 0, /^ENODATA/],
    ['glibc as browsers call it', ['python3', '-c', addressConfigured], 0, /^198\.18\.\d+\.\d+$/],
    ['curl to a denied name', ['curl', '-sS', '-m5', 'http://evil.test/'], 6, /^$/],
    ['curl to the internet by address', ['curl', '-sS', '-m5', 'http://8.8.8.8/'], 7, /^$/],
    ['curl to the bridge', ['curl', '-sS', '-m5', 'http://172.17.0.1/'], 7, /^$/],
    ['curl to the metadata service', ['curl', '-sS', '-m5', 'http://169.254.169.254/'], 7, /^$/],
    ['curl to a port nobody listens on', ['curl', '-sS', '-m5', 'http://api.allowed.test:81/'], 7, /^$/],
    ['python', ['python3', '-c', 'import urllib.request as u; print(u.urlopen("http://py.allowed.test/").read().decode())'], 0, /^name=py\.allowed\.test/],
    ['node', ['node', '-e', 'fetch("http://js.allowed.test/").then(r=>r.text()).then(console.log)'], 0, /^name=js\.allowed\.test/],
    ['node, c-ares', ['node', '-e', 'require("dns").resolve4("js.allowed.test",(e,a)=>console.log(e??a[0]))'], 0, /^198\.18\./],
    ['node, c-ares, a denied name', ['node', '-e', 'require("dns").resolve4("evil.test",(e)=>console.log(e.code))'], 0, /^ENOTFOUND/],
    ['localhost', ['getent', 'ahostsv4', 'db.localhost'], 0, /^127\.0\.0\.1/],
  ])('%s', async (_, command, code, output) => {
    const ran = await inside(command)
    expect({ code: ran.code, stdout: ran.stdout.trim() }, ran.stderr).toEqual({ code, stdout: expect.stringMatching(output) })
    expect(ran.milliseconds, 'fails fast, not by a timeout').toBeLessThan(4_000)
  })

  it('tells the proxy the real addresses and the name', () => {
    const seen = gateway.seen.find((connection) => connection.name === 'api.allowed.test')
    expect(seen?.destination).toMatch(/^198\.18\.0\.\d+:80$/)
    expect(seen?.source).toMatch(/^198\.18\.0\.\d+:\d+$/)
  })

  it('resets a connection to an address no name was given, and tells the host', async () => {
    const ran = await inside(['curl', '-sS', '-m5', 'http://198.19.200.200/'])
    expect([7, 55, 56], 'curl sees the reset while connecting, sending or receiving').toContain(ran.code)
    expect(gateway.lines).toContainEqual({ type: 'refused', reason: 'no-name-for-address', address: '198.19.200.200', port: 80 })
  })

  it('asks about every name, and about none twice within a lookup', () => {
    const asked = gateway.lines.filter((line) => line.type === 'query').map((line) => line.name)
    expect(asked).toEqual(expect.arrayContaining(['evil.test', 'api.allowed.test']))
    expect(gateway.lines.filter((line) => line.name === 'py.allowed.test' && line.type === 'query')).toHaveLength(1)
  })

  it('answers DNS over TCP, pipelined, and drops garbage', async () => {
    const ran = await inside(['python3', '-c', pipelinedDns])
    expect(ran.stdout.trim(), ran.stderr).toBe('50 answers, garbage closed')
  })

  it('half-closes: the answer still comes after the client has finished sending', async () => {
    const ran = await inside(['python3', '-c', halfClose])
    expect(ran.stdout.trim(), ran.stderr).toBe('3000000 bytes back')
  })

  it('carries 1000 connections at once', async () => {
    const ran = await inside(['python3', '-c', thousand], ['--ulimit', 'nofile=4096:4096'])
    expect(ran.stdout.trim(), ran.stderr).toBe('1000 of 1000')
    const memory = await docker(['stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', gateway.id])
    console.log(`gateway connected ${Math.round(gateway.connectedMilliseconds)} ms after docker run, ready ${gateway.readyMilliseconds.toFixed(1)} ms after its configuration; after 1000 connections: ${memory.stdout.trim()}; 1000 connections took ${Math.round(ran.milliseconds)} ms with start-up`)
  })
})

describe('in a network that leads somewhere', () => {
  it.each(['gateway', 'keeper'])('the %s refuses to work', async (role) => {
    const ran = await docker(['run', '--rm', '--label', image.label, '--network', 'bridge', '--cap-drop', 'ALL', '--entrypoint', '/decoy-guest', image.id, role])
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toContain('the interface "eth0" is up')
  })
})

describe('a gateway of its own', () => {
  it('ends, with an error, when the host goes away', async () => {
    await using own = await startGateway({ ports: [80], addresses: [] })
    own.control.destroy()
    expect((await docker(['wait', own.id])).stdout.trim()).toBe('1')
  })

  it('ends well on SIGTERM', async () => {
    await using own = await startGateway({ ports: [80], addresses: [] })
    const stopped = await docker(['stop', own.id])
    expect(stopped.milliseconds).toBeLessThan(5_000)
    expect((await docker(['wait', own.id])).stdout.trim()).toBe('0')
  })

  it.each([
    [{ ports: [53], addresses: [] }, /port 53/],
    [{ ports: [80], addresses: ['::1'] }, /"::1"/],
    [{ ports: [80], addresses: [], uid: 0 }, /uid 0/],
  ])('says why it does not start: %j', async (config, reason) => {
    await using own = await startGateway(config)
    expect(own.lines).toEqual([{ type: 'error', message: expect.stringMatching(reason) }])
    expect((await docker(['wait', own.id])).stdout.trim()).toBe('1')
  })
})

type Gateway = AsyncDisposable & { id: string; lines: Line[]; seen: Seen[]; control: Socket; connectedMilliseconds: number; readyMilliseconds: number }

async function startGateway(config: { ports: number[]; addresses: string[]; uid?: number }): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'decoy-gw-'))
  chmodSync(folder, 0o755)
  const sockets = join(folder, 's')
  mkdirSync(sockets, { mode: 0o700 })
  const lines: Line[] = []
  const seen: Seen[] = []
  const open = new Set<Socket>()
  const proxy = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket.on('error', () => undefined).on('close', () => open.delete(socket)))
    serveStandIn(socket, seen)
  })
  const controls = createServer()
  await Promise.all([listen(proxy, join(sockets, 'proxy.sock')), listen(controls, join(sockets, 'control.sock'))])
  for (const path of [sockets, join(sockets, 'proxy.sock'), join(sockets, 'control.sock')]) chownSync(path, uid, uid)
  const connected = once(controls, 'connection') as Promise<[Socket]>
  const from = performance.now()
  const created = await docker([
    'run', '-d', '--label', image.label, '--network', 'none', '--dns', '127.0.0.1', '--dns-search', '.', '--read-only', '--user', '0',
    '--cap-drop', 'ALL', ...['NET_ADMIN', 'NET_BIND_SERVICE', 'SETUID', 'SETGID', 'SETPCAP'].flatMap((name) => ['--cap-add', name]),
    '--security-opt', 'no-new-privileges', '-v', `${sockets}:/run/decoy`, image.id, '/decoy-guest', 'gateway',
  ])
  const id = created.stdout.trim()
  const [control] = await connected
  control.on('error', () => undefined)
  const first = new Promise<void>((settled) => {
    createInterface({ input: control }).on('error', () => undefined).on('line', (text) => {
      const line = JSON.parse(text) as Line
      lines.push(line)
      if (line.type === 'query') control.write(`${JSON.stringify({ type: 'answer', id: line.id, allow: line.name?.endsWith('allowed.test') })}\n`)
      else settled()
    })
  })
  const configured = performance.now()
  control.write(`${JSON.stringify({ type: 'config', uid, gid: uid, ...config })}\n`)
  await first
  const connectedMilliseconds = configured - from
  const readyMilliseconds = performance.now() - configured
  return {
    id, lines, seen, control, connectedMilliseconds, readyMilliseconds,
    async [Symbol.asyncDispose]() {
      await docker(['rm', '-f', id])
      control.destroy()
      for (const socket of open) socket.destroy()
      proxy.close()
      controls.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done) => server.listen({ path, backlog: 4096 }, done))
}

/** Reads the PROXY v2 header; on port 80 answers HTTP with the name, elsewhere echoes everything once the client has finished. */
function serveStandIn(socket: Socket, seen: Seen[]): void {
  let buffered = Buffer.alloc(0)
  let port = 0
  let name = ''
  socket.on('data', (chunk) => {
    buffered = Buffer.concat([buffered, chunk])
    if (port === 0 && buffered.length >= 16 && buffered.length >= 16 + buffered.readUInt16BE(14)) {
      const end = 16 + buffered.readUInt16BE(14)
      const address = (at: number, portAt: number) => `${buffered.subarray(at, at + 4).join('.')}:${buffered.readUInt16BE(portAt)}`
      port = buffered.readUInt16BE(26)
      name = buffered.subarray(31, 31 + buffered.readUInt16BE(29)).toString()
      seen.push({ name, source: address(16, 24), destination: address(20, 26) })
      buffered = buffered.subarray(end)
    }
    if (port === 80 && buffered.includes('\r\n\r\n')) {
      const body = `name=${name}`
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
    }
    if (port === 5432) {
      socket.write(buffered)
      buffered = Buffer.alloc(0)
    }
  })
  socket.on('end', () => socket.end(port === 443 ? buffered : ''))
}

/** Runs a command in a second container that joined the gateway's network namespace, as the gateway's uid. */
function inside(command: string[], options: string[] = []) {
  return docker([
    'run', '--rm', '--label', image.label, '--network', `container:${gateway.id}`, '--user', `${uid}:${uid}`, '--cap-drop', 'ALL',
    '--security-opt', 'no-new-privileges', '-v', '/usr:/usr:ro', '-w', '/', '-e', 'PATH=/usr/local/bin:/usr/bin:/bin',
    ...options, image.id, ...command,
  ])
}

const pipelinedDns = `
import socket, struct
def query(i):
    body = struct.pack('>HHHHHH', i, 0x100, 1, 0, 0, 0) + bytes([2]) + b'p%d' % (i % 10) + b'\\x07allowed\\x04test\\0' + struct.pack('>HH', 1, 1)
    return struct.pack('>H', len(body)) + body
s = socket.create_connection(('127.0.0.1', 53)); s.settimeout(10)
s.sendall(b''.join(query(i) for i in range(50)))
f = s.makefile('rb'); ids = set()
for i in range(50):
    n, = struct.unpack('>H', f.read(2)); ids.add(struct.unpack('>H', f.read(n)[:2])[0])
g = socket.create_connection(('127.0.0.1', 53)); g.settimeout(5)
g.sendall(b'\\0\\x03abc')
try: closed = g.recv(10) == b''
except ConnectionResetError: closed = True
print(len(ids), 'answers, garbage', 'closed' if closed else 'answered')
`

const halfClose = `
import socket, threading
s = socket.create_connection(('half.allowed.test', 443)); s.settimeout(20)
s.sendall(b'x' * 3000000); s.shutdown(socket.SHUT_WR)
n = 0
while True:
    b = s.recv(65536)
    if not b: break
    n += len(b)
print(n, 'bytes back')
`

const thousand = `
import socket
a = socket.getaddrinfo('many.allowed.test', 5432, socket.AF_INET, socket.SOCK_STREAM)[0][4]
all = [socket.create_connection(a) for _ in range(1000)]
for i, s in enumerate(all): s.settimeout(30); s.sendall(b'%04d' % i)
good = 0
for i, s in enumerate(all):
    b = b''
    while len(b) < 4: 
        c = s.recv(4 - len(b))
        if not c: break
        b += c
    good += b == b'%04d' % i
print(good, 'of', len(all))
`
