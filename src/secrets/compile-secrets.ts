import { outgoingNeedles } from './outgoing-needles.ts';
import { createOutgoingScanner } from './outgoing-scanner.ts';
import type { OutgoingScanner } from './outgoing-scanner.ts';
import { redactPath } from './redact.ts';
import { isBound } from './refuse-seen.ts';
import type { ScannedDestination } from './refuse-seen.ts';
import { createResponseScrubber } from './scrub.ts';
import type { ResponseScrubber } from './scrub.ts';
import type { Secret } from './secret.ts';
import { substituteRequest } from './substitute-headers.ts';
import type { OutgoingRequest, Substitution } from './substitute-headers.ts';

export type { OutgoingScanner } from './outgoing-scanner.ts';
export type { SecretRefusal } from './refuse-seen.ts';
export type { BodyScrubber, ResponseScrubber, ScrubCount } from './scrub.ts';
export type { OutgoingRequest, Substitution } from './substitute-headers.ts';

/** The secrets of a run, ready for traffic: what is expensive is done here, once. */
export type CompiledSecrets = {
  list: readonly Secret[];
  boundTo(host: string): readonly Secret[];
  hasBoundSecret(host: string): boolean;
  substituteRequest(request: OutgoingRequest): Substitution;
  /** `place` is what a refusal calls it: `body` unless given */
  createOutgoingScanner(destination: ScannedDestination, place?: string): OutgoingScanner;
  /** null where no secret is bound to the host: such responses are passed on untouched */
  scrubberFor(host: string): ResponseScrubber | null;
  /** every placeholder or real value, in any covered encoding, replaced by `[NAME]` */
  redact(text: string): string;
};

export function compileSecrets(secrets: readonly Secret[]): CompiledSecrets {
  const needles = outgoingNeedles(secrets);
  // One per set of bound secrets and not per host: `**.example.com` covers as many hosts as a sandbox cares to name.
  const scrubbers = new Map<string, ResponseScrubber>();
  const boundTo = (host: string): Secret[] => secrets.filter((secret) => isBound(secret, host));

  return {
    list: secrets,
    boundTo,
    hasBoundSecret: (host) => secrets.some((secret) => isBound(secret, host)),
    substituteRequest: (request) => substituteRequest(needles, request),
    createOutgoingScanner: (destination, place = 'body') => createOutgoingScanner(needles, { destination, place }),
    scrubberFor(host) {
      const bound = boundTo(host);
      if (bound.length === 0) return null;
      const key = bound.map((secret) => secrets.indexOf(secret)).join();
      const scrubber = scrubbers.get(key) ?? createResponseScrubber([...bound, ...secrets.filter((secret) => !bound.includes(secret))]);
      scrubbers.set(key, scrubber);
      return scrubber;
    },
    redact: (text) => redactPath(needles, text),
  };
}
