import { reduceAcceptEncoding } from './coding.ts';
import { forwardableRequestHeaders, headerValue, withoutHeaders, type RawHeaders } from './headers.ts';
import { withoutUnderscored } from './underscored.ts';

/** The headers as the upstream gets them; from a host whose answers are scrubbed, nothing is asked for that could not be. */
export function prepareHeaders(rawHeaders: RawHeaders, { host, isScrubbed }: { host: string; isScrubbed: boolean }): string[] {
  const headers = forwardableRequestHeaders(rawHeaders);
  if (!isScrubbed) return ['Host', host, ...headers];
  // A part of a body could begin or end within a secret, and a coding that cannot be undone would hide one.
  const acceptEncoding = reduceAcceptEncoding(headerValue(headers, 'accept-encoding'));
  // Of the codings of single messages none can be undone.
  const ofMessages = acceptedOfMessages.filter((name) => headerValue(headers, name) !== null).flatMap((name) => [name, 'identity']);
  return ['Host', host, ...withoutHeaders(withoutUnderscored(headers), notWhereScrubbed), 'Accept-Encoding', acceptEncoding, ...ofMessages];
}

const acceptedOfMessages = ['grpc-accept-encoding', 'connect-accept-encoding'];
const notWhereScrubbed: ReadonlySet<string> = new Set(['range', 'if-range', 'a-im', 'accept-encoding', ...acceptedOfMessages]);
