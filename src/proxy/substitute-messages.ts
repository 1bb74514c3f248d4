import type { BodySubstitution } from '../secrets/compile-secrets.ts';
import type { MessageFraming } from './message-framing.ts';
import { refuseMessages } from './refuse-messages.ts';
import { createMessageSplitter } from './split-messages.ts';
import type { BodySteps, SubstitutedStep } from './substituted-body.ts';

/** A substitution that lets a finished message wait for nothing: it knows then whether all of it is right. */
export function substituteMessages(substitution: BodySubstitution, framing: MessageFraming): BodySteps {
  const split = createMessageSplitter(framing);
  return {
    push(chunk): SubstitutedStep {
      const pieces = split(chunk);
      if (typeof pieces === 'string') return { ok: false, ...refuseMessages(pieces) };
      const steps = pieces.flatMap(({ bytes, isEnd }) => [() => substitution.push(bytes), ...(isEnd ? [substitution.endMessage] : [])]);
      const parts: Buffer[] = [];
      for (const step of steps) {
        const result = step();
        if (!result.ok) return result;
        parts.push(result.bytes);
      }
      return { ok: true, bytes: Buffer.concat(parts) };
    },
    end: substitution.end,
  };
}
