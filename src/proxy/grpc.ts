import { headerValue, type RawHeaders } from './headers.ts';

/** Bodies of messages with their lengths before them, which must not change (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
export function isGrpc(rawHeaders: RawHeaders): boolean {
  return /^application\/grpc(?:$|[-+; ])/i.test(headerValue(rawHeaders, 'content-type') ?? '');
}

/** Whether messages may be compressed one by one, inside the body, where they cannot be searched. */
export function hasCodedMessages(rawHeaders: RawHeaders): boolean {
  const coding = headerValue(rawHeaders, 'grpc-encoding');
  return coding !== null && coding.trim().toLowerCase() !== 'identity';
}
