import { signingSecrets } from './claim-signatures.ts';
import type { ForeignCredentials } from './foreign-credentials.ts';
import { secretNeedles } from './outgoing-needles.ts';
import { createOutgoingScanner } from './outgoing-scanner.ts';
import type { OutgoingScanner, ScannedOptions } from './outgoing-scanner.ts';
import { redactPath } from './redact.ts';
import { isBound } from './refuse-seen.ts';
import type { ScannedDestination } from './refuse-seen.ts';
import { createResponseScrubber } from './scrub.ts';
import type { ResponseScrubber } from './scrub.ts';
import type { Secret } from './secret.ts';
import { openBodySubstitution } from './substitute-body.ts';
import type { BodySubstitution, OutgoingBody } from './substitute-body.ts';
import { substituteRequest } from './substitute-request.ts';
import type { OutgoingRequest, Substitution } from './substitute-request.ts';

export type { SignatureClaim, SignedHeaders } from './claim-signatures.ts';
export type { SignedRequest } from './signatures/signature.ts';
export type { OutgoingScanner } from './outgoing-scanner.ts';
export type { SecretRefusal } from './refuse-seen.ts';
export type { BodyScrubber, EvenScrubber, IncomingWatch, ResponseScrubber, ScrubCount } from './scrub.ts';
export type { BodyStep, BodySubstitution, OutgoingBody } from './substitute-body.ts';
export type { OutgoingRequest, Substitution } from './substitute-request.ts';

/** The secrets of a run, ready for traffic: what is expensive is done here, once. */
export type CompiledSecrets = {
  list: readonly Secret[];
  boundTo(host: string): readonly Secret[];
  hasBoundSecret(host: string): boolean;
  substituteRequest(request: OutgoingRequest): Substitution;
  /** null where the body is only to be searched, see `createOutgoingScanner` */
  openBodySubstitution(body: OutgoingBody): BodySubstitution | null;
  /** `isRealOnly`: placeholders are left to whoever swaps them */
  createOutgoingScanner(destination: ScannedDestination, options?: Pick<ScannedOptions, 'place' | 'contentType'> & { isRealOnly?: boolean }): OutgoingScanner;
  /** null where no secret is bound to the host: such responses are passed on untouched */
  scrubberFor(host: string): ResponseScrubber | null;
  /** every placeholder or real value, in any covered encoding, replaced by `[NAME]` */
  redact(text: string): string;
};

export function compileSecrets(secrets: readonly Secret[], { foreignCredentials = 'allow' }: { foreignCredentials?: ForeignCredentials } = {}): CompiledSecrets {
  const needles = secretNeedles(secrets);
  // One per set of bound secrets and not per host: `**.example.com` covers as many hosts as a sandbox cares to name.
  const scrubbers = new Map<string, ResponseScrubber>();
  const signing = signingSecrets(secrets);
  const boundTo = (host: string): Secret[] => secrets.filter((secret) => isBound(secret, host));

  return {
    list: secrets,
    boundTo,
    hasBoundSecret: (host) => secrets.some((secret) => isBound(secret, host)),
    substituteRequest: (request) => substituteRequest(needles, request, { foreignCredentials, signing }),
    openBodySubstitution: (body) => openBodySubstitution(needles, body),
    createOutgoingScanner: (destination, { isRealOnly = false, ...options } = {}) => createOutgoingScanner(isRealOnly ? needles.real() : needles.all, { destination, ...options }),
    scrubberFor(host) {
      const bound = boundTo(host);
      if (bound.length === 0) return null;
      const key = bound.map((secret) => secrets.indexOf(secret)).join();
      const scrubber = scrubbers.get(key) ?? createResponseScrubber([...bound, ...secrets.filter((secret) => !bound.includes(secret))]);
      scrubbers.set(key, scrubber);
      return scrubber;
    },
    redact: (text) => redactPath(needles.all, text),
  };
}
