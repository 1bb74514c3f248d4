import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { withoutHeaders } from './headers.ts';

/**
 * An Upgrade to anything else is an offer that a server may ignore (RFC 9110, 7.8), but Node knows no such thing once one kind is taken.
 * So the request is read again without the offer, which some clients make with every first request (`h2c`).
 */
export function ignoreUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage, socket: Duplex, server: Server): void {
  const kept = withoutHeaders(rawHeaders, upgradeHeader);
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < kept.length; i += 2) head += `${kept[i]}: ${kept[i + 1]}\r\n`;
  socket.unshift(Buffer.from(`${head}\r\n`, 'latin1'));
  server.emit('connection', socket);
}

const upgradeHeader: ReadonlySet<string> = new Set(['upgrade']);
