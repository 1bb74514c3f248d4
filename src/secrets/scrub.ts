import type { Needles } from './compile-needles.ts';
import { compileNeedles } from './compile-needles.ts';
import { formNeedle } from './form-needle.ts';
import { secretForms } from './secret-forms.ts';
import type { Secret } from './secret.ts';
import { createDetector, createReplacer, replaceInText, type PushOptions } from './stream-scanner.ts';

export type ScrubCount = { name: string; scrubs: number };

export type BodyScrubber = {
  /** The scrubbed bytes that may be passed on now; may be empty. */
  push(chunk: Buffer): Buffer;
  flush(): Buffer;
  /** how many bytes were pushed that neither were passed on nor replaced yet */
  pendingBytes(): number;
  /** as many as those can be */
  mostPendingBytes: number;
  /**
   * The bytes held back of a message that ends here, as its reader may wait for all of it before it asks for the next. More than four, or `endBytes`, that begin like
   * a value stay, unless its placeholder begins the same way: a message whose end the sandbox chose could otherwise show nearly all of one.
   */
  endMessage(): Buffer;
  /** the secret whose value goes on behind bytes that `endMessage` gave, so that it cannot be replaced: nothing more is passed on; null so far */
  torn(): string | null;
  /** per secret, so far; only secrets that occurred */
  counts(): ScrubCount[];
};

/** Passes a body on in pieces whose ends do not show what begins like a value: all but as many of its last bytes as may ever be held back. */
export type EvenScrubber = {
  push(chunk: Buffer): Buffer;
  /** What is kept back for no other reason; `ifWhole`: or nothing, unless it is all that is. */
  settle(options: { ifWhole: boolean }): Buffer;
  /** whether anything is kept back */
  isBehind(): boolean;
  flush(): Buffer;
  counts(): ScrubCount[];
};

/** For responses of one host with a bound secret. */
export type ResponseScrubber = {
  /** also for the status message; latin1 in, latin1 out */
  scrubHeaderValue(text: string): { text: string; counts: ScrubCount[] };
  /**
   * Name, value pairs in and out, for headers and trailers; the very array where nothing was found. A header whose name
   * holds a secret is left out.
   */
  scrubHeaders(rawHeaders: readonly string[]): { rawHeaders: readonly string[]; counts: ScrubCount[] };
  /** `endBytes`: how much of a value the end of a message may show */
  createBodyScrubber(options?: { endBytes?: number }): BodyScrubber;
  createEvenScrubber(): EvenScrubber;
  /** for bytes in which nothing can be replaced: see `IncomingWatch` */
  createWatch(): IncomingWatch;
};

/**
 * One per stream. The name of the secret whose real value the chunk completes, or null: pass the chunk on only then. Nothing is held
 * back: a few bytes that only begin like a value may be the end of a message the client waits for.
 */
export type IncomingWatch = { push(chunk: Buffer, options?: PushOptions): string | null };

/**
 * Replaces real values by their placeholders, in the encoding they are found in. It looks for every secret of the run,
 * not only for those bound to the host: a service may hand what it was given to another, and no real value has any
 * business inside. `secrets` come in order of precedence, those bound to the host first: of two with one value the first one's
 * placeholder is put in.
 */
export function createResponseScrubber(secrets: readonly Secret[]): ResponseScrubber {
  const needles = scrubNeedles(secrets);
  const countingReplacer = () => {
    const tally = createTally();
    const replacer = createReplacer(needles, ({ name, replacement }: Scrub) => {
      tally.add(name);
      return replacement();
    });
    return { replacer, counts: tally.counts };
  };
  return {
    scrubHeaderValue(text) {
      const tally = createTally();
      return { text: scrubText(needles, text, tally), counts: tally.counts() };
    },
    scrubHeaders(rawHeaders) {
      const tally = createTally();
      if (needles.find(Buffer.from(rawHeaders.join('\n'), 'latin1'), 0) === null) return { rawHeaders, counts: [] };
      const scrubbed: string[] = [];
      for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
        const name = rawHeaders[at]!;
        const value = scrubText(needles, rawHeaders[at + 1]!, tally);
        if (scrubText(needles, name, tally) === name) scrubbed.push(name, value);
      }
      return { rawHeaders: scrubbed, counts: tally.counts() };
    },
    createBodyScrubber({ endBytes = MESSAGE_END_BYTES } = {}) {
      const { replacer, counts } = countingReplacer();
      return {
        push: replacer.push, flush: replacer.flush, pendingBytes: replacer.pendingBytes, counts,
        mostPendingBytes: needles.longest - 1,
        endMessage: () => replacer.release(endBytes),
        torn: () => replacer.torn()?.name ?? null,
      };
    },
    createEvenScrubber() {
      const { replacer, counts } = countingReplacer();
      return { push: replacer.pushEvenly, settle: replacer.settle, isBehind: () => replacer.pendingBytes() > 0, flush: replacer.flush, counts };
    },
    createWatch() {
      const detector = createDetector(needles);
      return { push: (chunk, options) => detector.push(chunk, options)?.name ?? null };
    },
  };
}

/** `replacement` is written when it is first needed: of most forms never. */
type Scrub = { name: string; replacement(): Buffer };

/** By chance a message ends with one or two bytes that begin some form; four are half of the shortest value there may be, and often all known from its prefix. */
const MESSAGE_END_BYTES = 4;

function scrubNeedles(secrets: readonly Secret[]): Needles<Scrub> {
  return compileNeedles(
    secrets.flatMap((secret) =>
      secretForms(secret, 'value').map((form) => {
        let written: Buffer | undefined;
        const replacement = () => (written ??= Buffer.from(form.write(secret.placeholder), 'latin1'));
        const needle = formNeedle(form, { name: secret.name, replacement });
        return { ...needle, knownBytes: () => commonBytes(needle.bytes, replacement()) };
      }),
    ),
  );
}

/** What a value and its placeholder begin with alike, the vendor's prefix for the most part: the sandbox has it. */
function commonBytes(first: Uint8Array, second: Uint8Array): number {
  const at = first.findIndex((byte, index) => byte !== second[index]);
  return at === -1 ? first.length : at;
}

function scrubText(needles: Needles<Scrub>, text: string, tally: Tally): string {
  return replaceInText(needles, text, ({ name, replacement }) => {
    tally.add(name);
    return replacement();
  });
}

type Tally = { add(name: string): void; counts(): ScrubCount[] };

function createTally(): Tally {
  const scrubs = new Map<string, number>();
  return {
    add: (name) => scrubs.set(name, (scrubs.get(name) ?? 0) + 1),
    counts: () => [...scrubs].map(([name, count]) => ({ name, scrubs: count })),
  };
}
