import type { BodyScrubber, ResponseScrubber, ScrubCount } from './scrub.ts';

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
  const counts = (): ScrubCount[] => [...first.counts(), ...second.counts()];
  return {
    push: (chunk) => second.push(first.push(chunk)),
    flush: () => Buffer.concat([second.push(first.flush()), second.flush()]),
    pendingBytes: () => first.pendingBytes() + second.pendingBytes(),
    mostPendingBytes: first.mostPendingBytes + second.mostPendingBytes,
    endMessage: () => Buffer.concat([second.push(first.endMessage()), second.endMessage()]),
    torn: () => first.torn() ?? second.torn(),
    counts,
  };
}
