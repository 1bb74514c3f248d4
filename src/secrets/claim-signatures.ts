import { quote } from '../policy/quote.ts';
import type { ForeignCredentials } from './foreign-credentials.ts';
import { refuseForeign } from './foreign-credentials.ts';
import type { SecretUses } from './pin-counter.ts';
import type { SignaturePlace } from './place.ts';
import { isBound, type SecretRefusal } from './refuse-seen.ts';
import { CREDENTIAL_NAMES, headerPlace } from './request-parts.ts';
import { createResponseScrubber, type ResponseScrubber } from './scrub.ts';
import type { Secret } from './secret.ts';
import { findAwsSigv4 } from './signatures/aws-sigv4.ts';
import { findHmacSha256 } from './signatures/hmac-sha256.ts';
import { findJwt } from './signatures/jwt.ts';
import { onlyHeader, type FoundSignature, type SignAgain, type SignedRequest } from './signatures/signature.ts';
import type { OutgoingRequest } from './substitute-request.ts';

/** Signatures of a request that may be made with placeholders, to be made again with the real values once all that is sent is known. */
export type SignatureClaim = {
  /** whether `sign` needs the bytes of the body; else it takes an empty one */
  coversBody: boolean;
  sign(sent: SignedRequest): SignedHeaders;
};

export type SignedHeaders =
  /** `scrubber` takes the new signatures out of the answer, and puts back those that came; null where none was made */
  | { ok: true; rawHeaders: readonly string[]; uses: SecretUses; scrubber: ResponseScrubber | null }
  | ({ ok: false } & SecretRefusal);

export type SigningSecret = { secret: Secret; places: readonly SignaturePlace[] };

export function signingSecrets(secrets: readonly Secret[]): SigningSecret[] {
  return secrets.flatMap((secret) => {
    const places = secret.pins?.places.filter((place) => place.kind === 'signature') ?? [];
    return places.length === 0 ? [] : [{ secret, places }];
  });
}

type Candidate = { signature: FoundSignature; secret: Secret };

/** What a header may be: of several kinds, and with each of several secrets. */
type Found = { header: string; candidates: Candidate[] };

/** The signatures the request came with, of kinds that secrets of this host are pinned to. Nothing is signed that was not signed with a placeholder. */
export function findSignatures(signing: readonly SigningSecret[], { rawHeaders, destination }: OutgoingRequest): Found[] {
  if (destination.scheme !== 'https') return [];
  const parsed = new Map<string, FoundSignature[]>();
  const found = new Map<string, Found>();
  for (const { secret, places } of signing) {
    if (!isBound(secret, destination.host)) continue;
    for (const place of places) {
      const signatures = parsed.get(place.text) ?? findKind(rawHeaders, place);
      parsed.set(place.text, signatures);
      for (const signature of signatures) {
        const known = found.get(signature.header);
        if (known === undefined) found.set(signature.header, { header: signature.header, candidates: [{ signature, secret }] });
        else known.candidates.push({ signature, secret });
      }
    }
  }
  // What is signed may itself be in a header that AWS's signature covers.
  return [...found.values()].sort((a, b) => Number(a.header === 'authorization') - Number(b.header === 'authorization'));
}

function findKind(rawHeaders: readonly string[], { scheme, header }: SignaturePlace): FoundSignature[] {
  const found = scheme === 'jwt'
    ? [...new Set(rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()))].filter((name) => CREDENTIAL_NAMES.has(name)).map((name) => findJwt(rawHeaders, name))
    : [scheme === 'aws-sigv4' ? findAwsSigv4(rawHeaders) : findHmacSha256(rawHeaders, header)];
  return found.filter((one) => one !== null);
}

export type ClaimOptions = {
  /** as it came, with Host */
  original: Omit<SignedRequest, 'body'>;
  /** the same headers with placeholders swapped */
  swapped: readonly string[];
  foreignCredentials: ForeignCredentials;
};

/** `found`: one at least */
export function claimSignatures(found: readonly Found[], options: ClaimOptions): SignatureClaim {
  return {
    coversBody: found.some(({ candidates }) => candidates.some(({ signature }) => signature.coversBody)),
    sign: (sent) => signAll(found, sent, options),
  };
}

function signAll(found: readonly Found[], sent: SignedRequest, { original, swapped, foreignCredentials }: ClaimOptions): SignedHeaders {
  let rawHeaders = sent.rawHeaders;
  const made: { secret: Secret; before: string; after: string }[] = [];
  for (const { header, candidates } of found) {
    const value = onlyHeader(rawHeaders, header);
    if (value === null) continue;
    const verified = firstVerified(candidates, { ...original, body: sent.body });
    if (verified === null) {
      const { secret } = candidates[0]!;
      // A placeholder of the key's number says whose it is meant to be.
      if (onlyHeader(swapped, header) !== onlyHeader(original.rawHeaders, header)) return refuseSignature(secret, header, MISMATCH);
      if (foreignCredentials === 'block') return refuseForeign(header, secret);
      if (foreignCredentials === 'strip') rawHeaders = withHeader(rawHeaders, header, null);
      continue;
    }
    const { signature, secret, signAgain } = verified;
    if (signature.problem !== null) return refuseSignature(secret, header, signature.problem);
    const after = signAgain(secret.value, { ...sent, rawHeaders }, value);
    if (after === null) return refuseSignature(secret, header, OTHER_KIND);
    made.push({ secret, before: signature.text, after: after.text });
    rawHeaders = withHeader(rawHeaders, header, after.value);
  }
  const scrubber = made.length === 0 ? null : createResponseScrubber(made.map(({ secret, before, after }) => ({ ...secret, value: after, placeholder: before })));
  return { ok: true, rawHeaders, uses: made.map(({ secret: { name } }) => ({ name, substitutions: 1 })), scrubber };
}

function firstVerified(candidates: readonly Candidate[], original: SignedRequest): (Candidate & { signAgain: SignAgain }) | null {
  for (const candidate of candidates) {
    const signAgain = candidate.signature.verify(candidate.secret.placeholder, original);
    if (signAgain !== null) return { ...candidate, signAgain };
  }
  return null;
}

function withHeader(rawHeaders: readonly string[], name: string, value: string | null): string[] {
  const result: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toLowerCase() !== name) result.push(rawHeaders[at]!, rawHeaders[at + 1]!);
    else if (value !== null) result.push(rawHeaders[at]!, value);
  }
  return result;
}

const OTHER_KIND = 'The program takes the placeholder for hexadecimal or base64, and the value is neither: let it take the key as the text it is';
const MISMATCH = 'It is not the one that the placeholder makes over this request: sign last, when its headers and its body are what is sent';

function refuseSignature({ name }: Secret, header: string, problem: string): SignedHeaders {
  return {
    ok: false, reason: 'signature-not-swapped', secret: name, place: headerPlace(header),
    remedy: `The signature cannot be made again with secret ${quote(name)}. ${problem}.`,
  };
}
