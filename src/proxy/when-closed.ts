import type { Writable } from 'node:stream';

/** Calls each callback once, in their order, when the stream has closed. */
export type WhenClosed = (callback: () => void) => void;

/** One listener for all: each `once` of its own takes a quarter of a kilobyte for as long as the stream is open, which may say nothing for hours. */
export function whenClosed(stream: Writable): WhenClosed {
  const callbacks: (() => void)[] = [];
  stream.once('close', () => {
    for (const callback of callbacks) callback();
  });
  return (callback) => void callbacks.push(callback);
}
