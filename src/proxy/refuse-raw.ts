import type { Duplex } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import type { ProxyContext } from './exchange.ts';
import { recordRefusal } from './record-refusal.ts';
import { renderRefusal, type Refusal } from './refusal.ts';

export type RawRefusal = Refusal & { method: string | null; destination: Destination; context: ProxyContext };

/** Ends the connection without an answer: one in the middle of others would be read as part of them. */
export function cutOff(socket: Duplex, { method, destination, context, ...refusal }: RawRefusal): void {
  recordRefusal(refusal, { ...destination, protocol: destination.scheme, method, audit: context.audit });
  socket.destroy();
}

/** Answers where Node made no response object: the parser failed, or gave the connection away. */
export function refuseRaw(socket: Duplex, { method, destination, context, ...refusal }: RawRefusal): void {
  recordRefusal(refusal, { ...destination, protocol: destination.scheme, method, audit: context.audit });
  answerRaw(socket, refusal, destination);
}

/** Ends the connection with the refusal as its last answer, which is recorded elsewhere. */
export function answerRaw(socket: Duplex, refusal: Refusal, destination: Destination): void {
  const { headers, body } = renderRefusal(refusal, destination);
  let head = `HTTP/1.1 ${refusal.status} Refused\r\nconnection: close\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  socket.on('error', () => undefined);
  socket.end(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]), () => socket.destroy());
}
