import type { Destination } from '../policy/policy.ts';
import { claimSignatures, findSignatures, type ClaimOptions, type SignatureClaim, type SigningSecret } from './claim-signatures.ts';
import { checkForeignCredentials, type ForeignCredentials } from './foreign-credentials.ts';
import { hitsIn, seenIn, type SecretNeedles, type Seen } from './outgoing-needles.ts';
import { createPinCounter, pinsOf, type PinCounter, type SecretUses } from './pin-counter.ts';
import { decideSwap } from './decide-swap.ts';
import { ECHOING_METHODS, refuseSeen, type SecretRefusal } from './refuse-seen.ts';
import { allBasicCredentials, partsOf, type Part } from './request-parts.ts';
import { onlyHeader } from './signatures/signature.ts';
import { createSwapper, type Swapped } from './swapper.ts';
import { unescapings } from './unescapings.ts';

export type OutgoingRequest = {
  method: string;
  /** origin-form target with the query, as received */
  url: string;
  /** name, value, name, value … as Node's `rawHeaders`: latin1 text, one character a byte */
  rawHeaders: readonly string[];
  destination: Destination;
  /** what Host says, where no header does; only signatures cover it */
  host?: string;
};

export type Substitution =
  /** `rawHeaders` is the very array that came in when no header was changed; `uses` is empty where nothing was swapped */
  | { ok: true; url: string; rawHeaders: readonly string[]; uses: SecretUses; signatures: SignatureClaim | null }
  | ({ ok: false } & SecretRefusal);

/** Swaps placeholders for real values where their secrets are pinned, and refuses them, and real values, everywhere else. */
export function substituteRequest(needles: SecretNeedles, request: OutgoingRequest, { foreignCredentials, signing }: SubstitutionOptions): Substitution {
  // One search of the joined text: no form of a secret contains the line break between its parts.
  const swapped = concerns(needles, [request.method, request.url, ...request.rawHeaders].join('\n'))
    ? swapAll(needles, request)
    : { ok: true as const, url: request.url, rawHeaders: request.rawHeaders, uses: [], carriers: NO_CARRIERS };
  if (!swapped.ok) return swapped;
  const { carriers, ...substitution } = swapped;
  const circumstances = { destination: request.destination, secrets: needles.secrets, foreignCredentials };
  const found = signing.length === 0 || ECHOING_METHODS.has(request.method.toUpperCase()) ? [] : findSignatures(signing, request);
  if (found.length === 0) return checkForeignCredentials({ ...substitution, signatures: null }, { ...circumstances, carriers });
  const signatures = claimSignatures(found, { original: withHost(request), swapped: swapped.rawHeaders, foreignCredentials });
  // Whose signatures they are is known once they are checked.
  const names = new Set(found.map(({ header }) => header));
  const claimed = [...request.rawHeaders.keys()].filter((at) => at % 2 === 0 && names.has(request.rawHeaders[at]!.toLowerCase()));
  return checkForeignCredentials({ ...substitution, signatures }, { ...circumstances, carriers: new Set([...carriers, ...claimed]) });
}

function withHost({ method, url, rawHeaders, host = '' }: OutgoingRequest): ClaimOptions['original'] {
  return { method, url, rawHeaders: onlyHeader(rawHeaders, 'host') === null ? ['Host', host, ...rawHeaders] : rawHeaders };
}

export type SubstitutionOptions = { foreignCredentials: ForeignCredentials; signing: readonly SigningSecret[] };

const NO_CARRIERS: ReadonlySet<number> = new Set();

type SwappedRequest = Omit<Extract<Substitution, { ok: true }>, 'signatures'> & {
  /** places in `rawHeaders` of the headers something was put into */
  carriers: ReadonlySet<number>;
};

function swapAll(needles: SecretNeedles, request: OutgoingRequest): SwappedRequest | ({ ok: false } & SecretRefusal) {
  const { method, path, query, headers, headerNames } = partsOf(request, (text) => concerns(needles, text));
  const parts = [method, path, query, ...headerNames, ...headers].filter(({ isClean }) => !isClean);
  // First of all: a real value anywhere is worse than any placeholder.
  for (const part of parts) {
    const real = seenInPart(needles, { part, request }).find(({ kind }) => kind === 'real');
    if (real) return { ok: false, ...refuseSeen(real, { ...request, place: part.place })! };
  }
  const counter = createPinCounter();
  const texts = new Map<Part, string>();
  for (const part of parts) {
    const text = swapPart(needles, part, { request, counter });
    if (typeof text !== 'string') return { ok: false, ...text };
    texts.set(part, text);
  }
  const rawHeaders = [...request.rawHeaders];
  const carriers = new Set<number>();
  for (const part of headers) {
    if (texts.get(part) === originalOf(part)) continue;
    carriers.add(part.at!);
    rawHeaders[part.at! + 1] = part.wrap?.(texts.get(part)!) ?? texts.get(part)!;
  }
  return {
    ok: true, url: [path, query].map((part) => texts.get(part) ?? originalOf(part)).join(''), rawHeaders: carriers.size === 0 ? request.rawHeaders : rawHeaders,
    uses: counter.uses(), carriers,
  };
}

/** Whether a secret is in the text, in what its escapes stand for or in its lines that are Basic credentials. */
function concerns({ all }: SecretNeedles, text: string): boolean {
  const has = (some: string): boolean => all.find(Buffer.from(some, 'latin1'), 0) !== null;
  return [text, ...allBasicCredentials(text)].some((some) => has(some) || unescapings(some).some(has));
}

/** In its text, and where that is Basic credentials, of any header, in what they stand for. */
function seenInPart({ all }: SecretNeedles, { part, request }: { part: Part; request: OutgoingRequest }): Seen[] {
  const text = part.at === undefined ? originalOf(part) : request.rawHeaders[part.at + 1]!;
  return [text, ...allBasicCredentials(text)].flatMap((some) => seenIn(all, some));
}

function originalOf({ pieces }: Part): string {
  return pieces.map(({ text }) => text).join('');
}

type PartContext = { request: OutgoingRequest; counter: PinCounter };

/** The part's text with real values in it, or why it must not leave. */
function swapPart(needles: SecretNeedles, part: Part, context: PartContext): string | SecretRefusal {
  const into: Swapped = { sent: [], rest: [] };
  for (const { text, pinnable } of part.pieces) {
    if (pinnable === undefined) {
      into.sent.push(Buffer.from(text, 'latin1'));
      into.rest.push(Buffer.from(text, 'latin1'));
      continue;
    }
    const swapper = createSwapper(needles.placeholders, decideSwap({ ...context, ...pinnable, place: part.place }));
    const refusal = swapper.push(pinnable.span, into) ?? swapper.flush(into);
    if (refusal !== null) return refusal;
  }
  return findHidden(needles, part, { text: latin1(into.rest), request: context.request }) ?? latin1(into.sent);
}

/** What is left may hold a placeholder that is pinned elsewhere, or one behind escapes beside one that was swapped. */
function findHidden({ all }: SecretNeedles, part: Part, { text, request }: { text: string; request: OutgoingRequest }): SecretRefusal | null {
  const [plain] = hitsIn(all, text);
  const seen = plain?.tag ?? [text, ...allBasicCredentials(text)].flatMap((some) => seenIn(all, some))[0];
  if (seen === undefined) return null;
  const pinnables = part.pieces.flatMap((piece) => (piece.pinnable === undefined ? [] : [{ text: piece.text, ...piece.pinnable }]));
  const isPinned = pinnables.some(({ isPlace }) => pinsOf(seen.secret).places.some(isPlace));
  const pin = pinnables.find((piece) => seenIn(all, piece.text).some(({ secret }) => secret === seen.secret))?.pin() ?? null;
  return refuseSeen(seen, {
    ...request,
    place: plain === undefined && isPinned ? `${part.place}, escaped` : part.place,
    // A key may be a placeholder itself.
    pin: pin === null || seenIn(all, pin).length > 0 ? null : pin,
  });
}

function latin1(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('latin1');
}
