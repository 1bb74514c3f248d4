import type { Needles } from './compile-needles.ts';
import type { SecretRefusal } from './refuse-seen.ts';
import type { Secret } from './secret.ts';
import type { Span } from './span.ts';

/** `sent` is what goes out; `rest` the same with a line break, which no form of a secret contains, in place of each value put in. */
export type Swapped = { sent: Uint8Array[]; rest: Uint8Array[] };

export type Decision =
  | { kind: 'swap'; text: Uint8Array }
  /** stays as it is, and is found in `rest` */
  | { kind: 'leave' }
  | { kind: 'refuse'; refusal: SecretRefusal };

export type Swapper = {
  push(span: Span, into: Swapped): SecretRefusal | null;
  flush(into: Swapped): SecretRefusal | null;
};

/**
 * Swaps placeholders in what a text stands for: of several that begin at one place the longest. Where the text is cut makes no difference.
 * Held back is only an end that may be the beginning of a placeholder, which the sandbox knows.
 */
export function createSwapper(placeholders: Needles<Secret>, decide: (secret: Secret, found: Span) => Decision): Swapper {
  let held: Span = EMPTY;

  function scan(span: Span, into: Swapped, final: boolean): SecretRefusal | null {
    const { raw, decoded, ends } = held.raw.length === 0 ? span : join(held, span);
    const rawAt = (at: number): number => (ends === null || at === 0 ? at : ends[at - 1]!);
    const pass = (from: number, to: number): void => {
      if (from === to) return;
      into.sent.push(raw.subarray(from, to));
      into.rest.push(raw.subarray(from, to));
    };
    let [from, copied] = [0, 0];
    for (;;) {
      const end = final ? decoded.length : placeholders.tailStart(decoded, from);
      const hit = placeholders.find(decoded, from);
      // A hit behind the beginning of what may become a longer or earlier one waits until that one is decided.
      if (hit === null || hit.start >= end) {
        pass(copied, rawAt(end));
        held = keep({ raw, decoded, ends }, { at: end, rawAt: rawAt(end) });
        return null;
      }
      from = hit.end;
      const [start, stop] = [rawAt(hit.start), rawAt(hit.end)];
      const decision = decide(hit.tag, { raw: raw.subarray(start, stop), decoded: decoded.subarray(hit.start, hit.end), ends: null });
      if (decision.kind === 'refuse') return decision.refusal;
      if (decision.kind === 'leave') continue;
      pass(copied, start);
      into.sent.push(decision.text);
      into.rest.push(BREAK);
      copied = stop;
    }
  }

  return {
    push: (span, into) => scan(span, into, false),
    flush: (into) => (held.raw.length === 0 ? null : scan(EMPTY, into, true)),
  };
}

const EMPTY: Span = { raw: Buffer.alloc(0), decoded: Buffer.alloc(0), ends: null };
const BREAK: Buffer = Buffer.from('\n');

function join(first: Span, second: Span): Span {
  const raw = Buffer.concat([first.raw, second.raw]);
  if (first.ends === null && second.ends === null) return { raw, decoded: raw, ends: null };
  const ends = new Uint32Array(first.decoded.length + second.decoded.length);
  fillEnds(ends, { span: first, at: 0, offset: 0 });
  fillEnds(ends, { span: second, at: first.decoded.length, offset: first.raw.length });
  return { raw, decoded: Buffer.concat([first.decoded, second.decoded]), ends };
}

function fillEnds(ends: Uint32Array, { span, at, offset }: { span: Span; at: number; offset: number }): void {
  for (let i = 0; i < span.decoded.length; i += 1) ends[at + i] = offset + (span.ends === null ? i + 1 : span.ends[i]!);
}

/** A copy: the chunk's memory may be used again. */
function keep({ raw, decoded, ends }: Span, { at, rawAt }: { at: number; rawAt: number }): Span {
  if (at === decoded.length) return EMPTY;
  const rest = Buffer.from(raw.subarray(rawAt));
  return ends === null
    ? { raw: rest, decoded: rest, ends: null }
    : { raw: rest, decoded: Buffer.from(decoded.subarray(at)), ends: ends.slice(at).map((end) => end - rawAt) };
}
