import type { TLSSocket } from 'node:tls';

/** Header fields of a request, in any order and with anything in them. */
export type Http2Fields = readonly (readonly [name: string, value: string])[];

/** `answered` whatever the status is; else how the request ended. */
export type RawHttp2End = { kind: 'answered' } | { kind: 'reset'; errorCode: number } | { kind: 'goaway'; errorCode: number } | { kind: 'closed' };

/** Sends one request whose fields no client library would write, over a connection of its own, and waits for its end. */
export async function sendRawHttp2(socket: TLSSocket, fields: Http2Fields, { body }: { body?: string } = {}): Promise<RawHttp2End> {
  socket.on('error', () => undefined);
  const head = frame(HEADERS, body === undefined ? END_STREAM | END_HEADERS : END_HEADERS, 1, headerBlock(fields));
  const data = body === undefined ? [] : [frame(DATA, END_STREAM, 1, Buffer.from(body))];
  socket.write(Buffer.concat([Buffer.from(preface), frame(SETTINGS, 0, 0), head, ...data]));
  for await (const { kind, stream, payload } of framesOf(socket)) {
    if (stream === 1 && kind === HEADERS) return { kind: 'answered' };
    if (stream === 1 && kind === RST_STREAM) return { kind: 'reset', errorCode: payload.readUInt32BE(0) };
    if (kind === GOAWAY) return { kind: 'goaway', errorCode: payload.readUInt32BE(4) };
  }
  return { kind: 'closed' };
}

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** RFC 9113, section 6. */
const [DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY] = [0, 1, 3, 4, 7] as const;
const [END_STREAM, END_HEADERS] = [0x1, 0x4] as const;

/** Literals without indexing and without Huffman coding (RFC 7541, 6.2.2). */
function headerBlock(fields: Http2Fields): Buffer {
  const literal = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

/** RFC 9113, section 4.1. */
export function frame(kind: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = kind;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

async function* framesOf(socket: NodeJS.ReadableStream) {
  let seen = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    seen = Buffer.concat([seen, chunk]);
    while (seen.length >= 9 && seen.length >= 9 + seen.readUIntBE(0, 3)) {
      const end = 9 + seen.readUIntBE(0, 3);
      yield { kind: seen[3]!, stream: seen.readUInt32BE(5), payload: seen.subarray(9, end) };
      seen = seen.subarray(end);
    }
  }
}
