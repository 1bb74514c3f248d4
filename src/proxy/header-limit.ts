import type { RawHeaders } from './headers.ts';
import type { ProxyLimits } from './limits.ts';
import type { Refusal } from './refusal.ts';

export function tooLongHeaders({ headerBytes }: Pick<ProxyLimits, 'headerBytes'>): Refusal {
  return {
    status: 431, decision: 'blocked', reason: 'capacity',
    remedy: `Send at most ${headerBytes} bytes of headers, or raise header-bytes in proxy-limits.`,
  };
}

/** A checksum or two, in all that is known. Whatever is read of longer ones stays in memory until JavaScript collects it, and a sandbox could send them all the time. */
const maxTrailerBytes = 8 << 10;

export function areTooLongTrailers(rawTrailers: RawHeaders): boolean {
  return headerListBytes(rawTrailers) > maxTrailerBytes;
}

export const tooLongTrailers: Refusal = {
  status: 431, decision: 'blocked', reason: 'capacity',
  remedy: `Send at most ${maxTrailerBytes} bytes of trailers.`,
};

/** The size of an HTTP/2 header list as its sender has to reckon it (RFC 9113, 6.5.2). */
export function headerListBytes(rawHeaders: RawHeaders): number {
  return rawHeaders.reduce((bytes, text) => bytes + Buffer.byteLength(text, 'latin1'), rawHeaders.length / 2 * 32);
}
