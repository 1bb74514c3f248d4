/** A message as gRPC, gRPC-Web and Connect frame it. */
export function framed(message: string | Buffer, flags = 0): Buffer {
  const body = typeof message === 'string' ? Buffer.from(message, 'latin1') : message;
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flags);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}
