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
import { onlyHeader, type FoundSignature, type SignedRequest } from './signatures/signature.ts';
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

type Found = { signature: FoundSignature; secrets: Secret[] };

/** The signatures the request came with, of kinds that secrets of this host are pinned to. Nothing is signed that was not signed with a placeholder. */
export function findSignatures(signing: readonly SigningSecret[], { rawHeaders, destination }: OutgoingRequest): Found[] {
  if (destination.scheme !== 'https') return [];
  const found = new Map<string, Found>();
  for (const { secret, places } of signing) {
    if (!isBound(secret, destination.host)) continue;
    for (const place of places) {
      for (const signature of findKind(rawHeaders, place)) {
        const known = found.get(`${place.text} ${signature.header}`);
        if (known === undefined) found.set(`${place.text} ${signature.header}`, { signature, secrets: [secret] });
        else known.secrets.push(secret);
      }
    }
  }
  // What is signed may itself be in a header that AWS's signature covers.
  return [...found.values()].sort((a, b) => Number(a.signature.header === 'authorization') - Number(b.signature.header === 'authorization'));
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

export function claimSignatures(found: readonly Found[], options: ClaimOptions): SignatureClaim | null {
  if (found.length === 0) return null;
  return {
    coversBody: found.some(({ signature }) => signature.coversBody),
    sign: (sent) => signAll(found, sent, options),
  };
}

function signAll(found: readonly Found[], sent: SignedRequest, { original, swapped, foreignCredentials }: ClaimOptions): SignedHeaders {
  let rawHeaders = sent.rawHeaders;
  const made: { secret: Secret; before: string; after: string }[] = [];
  const done = new Set<string>();
  for (const { signature, secrets } of found) {
    const { header } = signature;
    const value = onlyHeader(rawHeaders, header);
    if (value === null || done.has(header)) continue;
    const [secret, signAgain] = firstOf(secrets, (one) => signature.verify(one.placeholder, { ...original, body: sent.body }));
    if (signAgain === null) {
      // A placeholder of the key's number says whose it is meant to be.
      if (onlyHeader(swapped, header) !== onlyHeader(original.rawHeaders, header)) return refuseSignature(secret, header, MISMATCH);
      if (foreignCredentials === 'block') return refuseForeign(header, secret);
      if (foreignCredentials === 'strip') rawHeaders = withHeader(rawHeaders, header, null);
      continue;
    }
    if (signature.problem !== null) return refuseSignature(secret, header, signature.problem);
    const after = signAgain(secret.value, { ...sent, rawHeaders }, value);
    made.push({ secret, before: signature.text, after: after.text });
    done.add(header);
    rawHeaders = withHeader(rawHeaders, header, after.value);
  }
  const scrubber = made.length === 0 ? null : createResponseScrubber(made.map(({ secret, before, after }) => ({ ...secret, value: after, placeholder: before })));
  return { ok: true, rawHeaders, uses: made.map(({ secret: { name } }) => ({ name, substitutions: 1 })), scrubber };
}

function firstOf<T>(secrets: readonly Secret[], attempt: (secret: Secret) => T | null): [Secret, T | null] {
  for (const secret of secrets) {
    const result = attempt(secret);
    if (result !== null) return [secret, result];
  }
  return [secrets[0]!, null];
}

function withHeader(rawHeaders: readonly string[], name: string, value: string | null): string[] {
  const result: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toLowerCase() !== name) result.push(rawHeaders[at]!, rawHeaders[at + 1]!);
    else if (value !== null) result.push(rawHeaders[at]!, value);
  }
  return result;
}

const MISMATCH = 'It is not the one that the placeholder makes over this request: sign last, when its headers and its body are what is sent';

function refuseSignature({ name }: Secret, header: string, problem: string): SignedHeaders {
  return {
    ok: false, reason: 'signature-not-swapped', secret: name, place: headerPlace(header),
    remedy: `The signature cannot be made again with secret ${quote(name)}. ${problem}.`,
  };
}
