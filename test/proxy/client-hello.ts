import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import tls from 'node:tls';
import { portOf } from './open-bench.ts';

/** The record with the ClientHello that OpenSSL would send. */
export async function recordHello(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const arrived = once(server, 'connection');
  const client = tls.connect({ host: '127.0.0.1', port: portOf(server), ...options }).on('error', () => undefined);
  const [socket] = await arrived as [Socket];
  const [hello] = await once(socket, 'data') as [Buffer];
  client.destroy();
  server.close();
  return hello;
}

export type Extension = { type: number; data: Buffer };

/** The same with other extensions (RFC 8446, 4.1.2): all lengths around them are made anew. */
export function withExtensions(record: Buffer, edit: (extensions: Extension[]) => Extension[]): Buffer {
  // Record header, handshake header, version and random; then the session's id, cipher suites and compression methods.
  let at = 5 + 4 + 2 + 32;
  at += 1 + record[at]!;
  at += 2 + record.readUInt16BE(at);
  at += 1 + record[at]!;
  const extensions: Extension[] = [];
  for (let from = at + 2; from < record.length; from += 4 + record.readUInt16BE(from + 2)) {
    extensions.push({ type: record.readUInt16BE(from), data: record.subarray(from + 4, from + 4 + record.readUInt16BE(from + 2)) });
  }
  const list = Buffer.concat(edit(extensions).map(({ type, data }) => Buffer.concat([uint16(type), uint16(data.length), data])));
  const body = Buffer.concat([record.subarray(9, at), uint16(list.length), list]);
  const handshake = Buffer.concat([Buffer.from([1, body.length >> 16]), uint16(body.length & 0xffff), body]);
  return inRecords(handshake, 1 << 14);
}

/** A handshake message as records of so many bytes (RFC 8446, 5.1). */
export function inRecords(handshake: Buffer, bytesEach: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < handshake.length; at += bytesEach) {
    const fragment = handshake.subarray(at, at + bytesEach);
    records.push(Buffer.from([22, 3, 1]), uint16(fragment.length), fragment);
  }
  return Buffer.concat(records);
}

/** The extension that names these hosts (RFC 6066, 3). */
export function serverNames(...names: string[]): Extension {
  const entries = Buffer.concat(names.map((name) => Buffer.concat([Buffer.from([0]), uint16(name.length), Buffer.from(name, 'latin1')])));
  return { type: 0, data: Buffer.concat([uint16(entries.length), entries]) };
}

/** A port that leads to what `open` opens; what a client sends is handed to `rewrite`, and the parts are sent one by one. */
export async function startRewriter(open: () => Socket, rewrite: (chunk: Buffer) => Buffer[]) {
  const server = createServer((client) => {
    const target = open();
    client.on('data', (chunk: Buffer) => rewrite(chunk).forEach((part) => target.write(part)));
    client.on('error', () => target.destroy()).on('close', () => target.destroy());
    target.on('error', () => client.destroy());
    target.pipe(client);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: portOf(server), [Symbol.dispose]: () => void server.close() };
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
