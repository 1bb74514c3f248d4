import type { Destination } from '../policy/policy.ts';
import type { CompiledSecrets, ResponseScrubber } from '../secrets/compile-secrets.ts';
import { addUse, type Draft } from './audit.ts';
import type { Refusal } from './refusal.ts';

/** What may be passed on, or why nothing more may be. */
export type Filtered = { data: Buffer } | { refusal: Omit<Refusal, 'status'> };

type Filter = (data: Buffer) => Filtered;

/** Of messages, and of what pings, pongs and Close frames carry. */
export type MessageFilter = Record<'leaving' | 'arriving', { message: Filter; control: Filter }>;

/** `scrubber`: of what arrives, null where it is passed on untouched */
export type FilterOptions = { secrets: CompiledSecrets; destination: Destination; draft: Draft; scrubber: ResponseScrubber | null };

/**
 * Messages that leave are searched as one stream, whatever they were cut into: the one that completes a placeholder or a real value is not
 * passed on. From a host with a bound secret, whole values are replaced in every message, and one cut in two by messages is stopped
 * in the same way. Control frames are streams of their own, so that one between two messages hides nothing.
 */
export function createMessageFilter(options: FilterOptions): MessageFilter {
  return {
    leaving: { message: safely(leavingFilter(options, 'WebSocket message')), control: safely(leavingFilter(options, 'WebSocket control frame')) },
    arriving: { message: safely(arrivingFilter(options, 'WebSocket message')), control: safely(arrivingFilter(options, 'WebSocket control frame')) },
  };
}

function leavingFilter({ secrets, destination }: FilterOptions, place: string): Filter {
  const scanner = secrets.createOutgoingScanner(destination, { place });
  return (data) => {
    const found = scanner.push(data);
    return found === null ? { data } : { refusal: { decision: 'blocked', ...found } };
  };
}

function arrivingFilter({ scrubber, destination, draft }: FilterOptions, place: string): Filter {
  if (scrubber === null) return (data) => ({ data });
  const watch = scrubber.createWatch();
  return (data) => {
    const body = scrubber.createBodyScrubber();
    const [first, rest] = [body.push(data), body.flush()];
    const scrubbed = rest.length === 0 ? first : Buffer.concat([first, rest]);
    for (const { name, scrubs } of body.counts()) addUse(draft, name, { scrubs });
    const secret = watch.push(scrubbed);
    if (secret === null) return { data: scrubbed };
    return {
      refusal: {
        decision: 'blocked', reason: 'real-secret-arriving', secret, place,
        remedy: `"${destination.host}" sent the real value of secret "${secret}" in pieces, in several WebSocket messages, so that it could not be replaced.`,
      },
    };
  };
}

/** An error in a stream's listener would end the process, and with it the run. */
function safely(filter: Filter): Filter {
  return (data) => {
    try {
      return filter(data);
    } catch {
      return { refusal: { decision: 'blocked', reason: 'unscannable-body', remedy: 'The message could not be searched for secrets, which is a fault of Decoy: try again.' } };
    }
  };
}
