import { headerValue, type RawHeaders } from './headers.ts';

/** How the messages of a body begin: with one byte of flags, and four of their length. */
export type MessageFraming = {
  /** those of uncompressed messages */
  flags: ReadonlySet<number>;
  /** whether the rows of messages are in base64 */
  isText: boolean;
};

/**
 * For gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), gRPC-Web, whose trailers are a message
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md), and the streams of Connect, which end with one
 * (https://connectrpc.com/docs/protocol). null for other bodies.
 */
export function messageFraming(rawHeaders: RawHeaders): MessageFraming | null {
  const match = framed.exec(headerValue(rawHeaders, 'content-type') ?? '');
  return match === null ? null : { flags: flags[match[1]!.toLowerCase()]!, isText: match[2] !== undefined };
}

/** Whether a body says the lengths of its messages, which must not change. */
export function saysLengths(rawHeaders: RawHeaders): boolean {
  return /^application\/(?:grpc(?:$|[-+;,\s])|connect\+)/i.test(headerValue(rawHeaders, 'content-type') ?? '');
}

/** Whether messages may be compressed one by one, inside the body, where they cannot be searched. */
export function hasCodedMessages(rawHeaders: RawHeaders): boolean {
  return ['grpc-encoding', 'connect-content-encoding'].some((name) => {
    const coding = headerValue(rawHeaders, name);
    return coding !== null && coding.trim().toLowerCase() !== 'identity';
  });
}

const framed = /^application\/(grpc|grpc-web(-text)?|connect(?=\+))(?:$|[+;,\s])/i;

const flags: Readonly<Record<string, ReadonlySet<number>>> = { grpc: new Set([0]), 'grpc-web': new Set([0, 0x80]), 'grpc-web-text': new Set([0, 0x80]), connect: new Set([0, 2]) };
