import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled } from '../trust/run-program.ts';
import { inRecords, recordHello, serverNames, startRewriter, withExtensions } from './client-hello.ts';
import { renderProxyHeader } from './gateway-client.ts';
import { openBench, readAll, type Bench } from './open-bench.ts';

const run = promisify(execFile);
const goProgram = new URL('../clients/ech/main.go', import.meta.url).pathname;

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ allow: ['api.test', '192.0.2.7'], upstream: (_, response) => void response.end('answered') });
});
afterAll(() => bench[Symbol.asyncDispose]());

describe('a handshake is completed, and a request answered,', () => {
  test.each<[string, tls.ConnectionOptions, ((chunk: Buffer) => Buffer[])?]>([
    ['with a ClientHello of eight kilobytes', { ALPNProtocols: ['http/1.1', ...Array.from({ length: 200 }, (_, at) => `${'x'.repeat(36)}${at}`)] }],
    ['with every byte in a segment of its own', {}, (chunk) => Array.from(chunk, (byte) => Buffer.from([byte]))],
    ['with the ClientHello in records of one byte', {}, onlyHello(1)],
    ['with the ClientHello in records of 61 bytes', {}, onlyHello(61)],
    ['with SNI in capitals', { servername: 'API.TEST' }],
    ['with a dot behind the name in SNI', { servername: 'api.test.', checkServerIdentity: () => undefined }],
    ['with TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ])('%s', async (_, options, send = (chunk) => [chunk]) => {
    using rewriter = await startRewriter(() => bench.plain('api.test', 443), send);
    const client = tls.connect({ host: '127.0.0.1', port: rewriter.port, servername: 'api.test', ca: bench.authority.certificatePem, ALPNProtocols: ['http/1.1'], ...options });
    client.write('GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
    expect((await readAll(client)).toString()).toMatch(/answered/);
  });
});

describe('a ClientHello is answered or refused by the names in it:', () => {
  const hello = 22;
  const alert = 21;
  test.each([
    ['an encrypted hello that is only GREASE', 'api.test', ['api.test'], hello, null],
    ['none', 'api.test', [], hello, null],
    ['another', 'api.test', ['other.test'], alert, 'sni-mismatch'],
    ['the destination with a port', 'api.test', ['api.test:443'], alert, 'sni-mismatch'],
    ['one that begins like the destination', 'api.test', ['api.test.other.test'], alert, 'sni-mismatch'],
    ['the destination with two dots', 'api.test', ['api.test..'], alert, 'sni-mismatch'],
    ['two of them', 'api.test', ['api.test', 'other.test'], alert, 'tls-handshake'],
    ['an empty one, as good as none', 'api.test', [''], hello, null],
    ['one with a NUL', 'api.test', ['api.test\0.other.test'], alert, 'tls-handshake'],
    ['one beyond 255 bytes', 'api.test', ['a'.repeat(300)], alert, 'tls-handshake'],
    ['the address that is the destination', '192.0.2.7', ['192.0.2.7'], hello, null],
    ['an address for a name', 'api.test', ['192.0.2.7'], alert, 'sni-mismatch'],
    ['a name for an address', '192.0.2.7', ['api.test'], alert, 'sni-mismatch'],
  ] as const)('%s', async (what, host, names, recordType, reason) => {
    const before = bench.entries.length;
    const socket = bench.plain(host, 443);
    const grease = { type: 0xfe0d, data: Buffer.concat([Buffer.from('0000010001aa0020', 'hex'), randomBytes(32), Buffer.from([0, 144]), randomBytes(144)]) };
    const first = await recordHello({ ALPNProtocols: ['http/1.1'] });
    socket.write(withExtensions(first, (extensions) => [...extensions, ...(names.length > 0 ? [serverNames(...names)] : []), ...(what.includes('GREASE') ? [grease] : [])]));
    const [answer] = await once(socket, 'data') as [Buffer];
    expect(answer[0]).toBe(recordType);
    if (reason !== null) expect((await bench.entriesOf(before + 1))[before]).toMatchObject({ protocol: 'tls', host, reason, status: null });
    socket.destroy();
    if (reason === null) await bench.entriesOf(before + 1);
  });
});

describe('what is no ClientHello of TLS 1.2 or newer is refused:', () => {
  test.each([
    ['SSLv2', Buffer.concat([Buffer.from('802e0100020015000000100700c0030080010080060040040080020080', 'hex'), randomBytes(16)]), 'bad-request'],
    ['SSLv3', Buffer.from(`16030000${'2d'}01000029${'0300'}${'00'.repeat(32)}000002000a0100`, 'hex'), 'tls-handshake'],
    ['a record that is too long', Buffer.from('160301ffff', 'hex'), 'tls-handshake'],
    ['an alert first', Buffer.from('15030100020100', 'hex'), 'bad-request'],
    ['plain HTTP with the port of TLS', Buffer.from('GET /p HTTP/1.1\r\nHost: api.test:443\r\n\r\n'), 'port-not-allowed'],
  ])('%s', async (_, bytes, reason) => {
    const before = bench.entries.length;
    const socket = bench.plain('api.test', 443);
    socket.write(bytes);
    await once(socket, 'data');
    expect((await bench.entriesOf(before + 1))[before]).toMatchObject({ reason });
    socket.destroy();
  });

  test('TLS on the port of plain HTTP: no rule lets it through', async () => {
    const before = bench.entries.length;
    const socket = bench.tls('api.test', {}, 80);
    socket.write('GET /p HTTP/1.1\r\nHost: api.test:80\r\n\r\n');
    expect((await once(socket, 'data')).toString()).toMatch(/^HTTP\/1.1 403 [^]*port-not-allowed/);
    expect((await bench.entriesOf(before + 1))[before]).toMatchObject({ protocol: 'https', port: 80, reason: 'port-not-allowed' });
    socket.destroy();
  });
});

describe.skipIf(!isInstalled('go'))('a Go client with a real encrypted hello', () => {
  test.each([
    ['learns that it was rejected where the outer name is the destination', 'api.test', /server rejected ECH/, null],
    ['is refused where the outer name is another', 'front.test', /unrecognized name/, 'sni-mismatch'],
  ])('%s', async (_, outerName, message, reason) => {
    const before = bench.entries.length;
    const header = renderProxyHeader({ host: 'api.test', port: 443 }).toString('hex');
    const { stdout } = await run('go', ['run', goProgram, bench.socketPath, header, outerName, 'hidden.test'], { env: { ...process.env, CA: bench.authority.certificatePem } });
    expect(stdout).toMatch(message);
    // A handshake that succeeds and asks for nothing leaves no entry.
    if (reason !== null) expect((await bench.entriesOf(before + 1))[before]).toMatchObject({ protocol: 'tls', host: 'api.test', reason });
    expect(JSON.stringify(bench.entries)).not.toContain('hidden');
  });
});

/** The first record is the ClientHello. */
function onlyHello(bytesEach: number): (chunk: Buffer) => Buffer[] {
  let isFirst = true;
  return (chunk) => {
    if (!isFirst) return [chunk];
    isFirst = false;
    return [inRecords(chunk.subarray(5), bytesEach)];
  };
}
