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
  socket.write(Buffer.concat([opening, head, ...data]));
  for await (const { kind, stream, payload } of framesOf(socket)) {
    if (stream === 1 && kind === HEADERS) return { kind: 'answered' };
    if (stream === 1 && kind === RST_STREAM) return { kind: 'reset', errorCode: payload.readUInt32BE(0) };
    if (kind === GOAWAY) return { kind: 'goaway', errorCode: payload.readUInt32BE(4) };
  }
  return { kind: 'closed' };
}

/** RFC 9113, section 6. */
export const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION] = [0, 1, 3, 4, 6, 7, 9] as const;
export const [END_STREAM, END_HEADERS] = [0x1, 0x4] as const;

/** RFC 9113, section 3.4. */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** What a client begins with: the preface, and settings as they are by default. */
export const opening = Buffer.concat([preface, frame(SETTINGS, 0, 0)]);

/** Literals without indexing and without Huffman coding (RFC 7541, 6.2.2). */
export function headerBlock(fields: Http2Fields): Buffer {
  const literal = (text: string) => Buffer.concat([Buffer.from(prefixed(text.length)), Buffer.from(text, 'latin1')]);
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

/** An integer with a prefix of seven bits (RFC 7541, 5.1). */
function prefixed(value: number): number[] {
  if (value < 127) return [value];
  const octets = [127];
  let left = value - 127;
  for (; left >= 128; left >>= 7) octets.push((left & 127) | 128);
  return [...octets, left];
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

/** A header block of any length, in as many frames as it needs. */
export function headerFrames(flags: number, stream: number, block: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += maxFrameBytes) {
    const isLast = at + maxFrameBytes >= block.length;
    frames.push(frame(at === 0 ? HEADERS : CONTINUATION, (at === 0 ? flags : 0) | (isLast ? END_HEADERS : 0), stream, block.subarray(at, at + maxFrameBytes)));
  }
  return Buffer.concat(frames);
}

/** RFC 9113, section 4.2. */
const maxFrameBytes = 16_384;

/** Whole frames, the preface left out. */
export async function* framesOf(bytes: AsyncIterable<Buffer>) {
  let seen = Buffer.alloc(0);
  for await (const chunk of bytes) {
    seen = Buffer.concat([seen, chunk]);
    if (seen.subarray(0, preface.length).equals(preface)) seen = seen.subarray(preface.length);
    while (seen.length >= 9 && seen.length >= 9 + seen.readUIntBE(0, 3)) {
      const end = 9 + seen.readUIntBE(0, 3);
      yield { kind: seen[3]!, flags: seen[4]!, stream: seen.readUInt32BE(5), payload: seen.subarray(9, end) };
      seen = seen.subarray(end);
    }
  }
}
