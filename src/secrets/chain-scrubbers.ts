import type { BodyScrubber, EvenScrubber, ResponseScrubber, ScrubCount } from './scrub.ts';

/** One scrubber after the other. */
export function chainScrubbers(first: ResponseScrubber, second: ResponseScrubber): ResponseScrubber {
  return {
    scrubHeaderValue(text) {
      const once = first.scrubHeaderValue(text);
      const twice = second.scrubHeaderValue(once.text);
      return { text: twice.text, counts: [...once.counts, ...twice.counts] };
    },
    scrubHeaders(rawHeaders) {
      const once = first.scrubHeaders(rawHeaders);
      const twice = second.scrubHeaders(once.rawHeaders);
      return { rawHeaders: twice.rawHeaders, counts: [...once.counts, ...twice.counts] };
    },
    createBodyScrubber: (options) => chainBodies(first.createBodyScrubber(options), second.createBodyScrubber(options)),
    createEvenScrubber: () => chainEven(first.createEvenScrubber(), second.createEvenScrubber()),
    createWatch() {
      const watches = [first.createWatch(), second.createWatch()] as const;
      return {
        push(chunk) {
          const names = watches.map((watch) => watch.push(chunk));
          return names[0] ?? names[1] ?? null;
        },
      };
    },
  };
}

function chainBodies(first: BodyScrubber, second: BodyScrubber): BodyScrubber {
  return {
    push: (chunk) => second.push(first.push(chunk)),
    flush: () => Buffer.concat([second.push(first.flush()), second.flush()]),
    pendingBytes: () => first.pendingBytes() + second.pendingBytes(),
    mostPendingBytes: first.mostPendingBytes + second.mostPendingBytes,
    endMessage: () => Buffer.concat([second.push(first.endMessage()), second.endMessage()]),
    torn: () => first.torn() ?? second.torn(),
    counts: () => countsOf(first, second),
  };
}

function chainEven(first: EvenScrubber, second: EvenScrubber): EvenScrubber {
  return {
    push: (chunk) => second.push(first.push(chunk)),
    settle({ ifWhole }) {
      const settled = first.settle({ ifWhole });
      if (ifWhole && first.isBehind()) return settled;
      return Buffer.concat([second.push(settled), second.settle({ ifWhole })]);
    },
    isBehind: () => first.isBehind() || second.isBehind(),
    flush: () => Buffer.concat([second.push(first.flush()), second.flush()]),
    counts: () => countsOf(first, second),
  };
}

function countsOf(...scrubbers: { counts(): ScrubCount[] }[]): ScrubCount[] {
  return scrubbers.flatMap((scrubber) => scrubber.counts());
}
