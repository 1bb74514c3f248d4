import type { Destination } from '../policy/policy.ts';
import type { CompiledSecrets, ResponseScrubber } from '../secrets/compile-secrets.ts';
import { addUse, type Draft } from './audit.ts';
import type { Refusal } from './refusal.ts';

/** What may be passed on, or why nothing more may be. */
export type Filtered = { data: Buffer } | { refusal: Omit<Refusal, 'status'> };

type Filter = (data: Buffer) => Filtered;

/** Of messages, and of what pings, pongs and Close frames carry. */
export type MessageFilter = Record<'leaving' | 'arriving', Filters>;

type Filters = Record<'message' | 'control', Filter>;

/** `scrubber`: of what arrives, null where it is passed on untouched */
export type FilterOptions = { secrets: CompiledSecrets; destination: Destination; draft: Draft; scrubber: ResponseScrubber | null };

/**
 * Messages that leave are searched as one stream, whatever they were cut into: the one that completes a placeholder or a real value is not
 * passed on. From a host with a bound secret, whole values are replaced in every message, and one cut in two by messages is stopped
 * in the same way. Control frames are streams of their own, so that one between two messages hides nothing, and both are one stream more, in
 * the order they came, so that nothing is hidden by beginning in the one and ending in the other.
 */
export function createMessageFilter(options: FilterOptions): MessageFilter {
  return { leaving: leavingFilters(options), arriving: arrivingFilters(options) };
}

const places = { message: 'WebSocket message', control: 'WebSocket control frame', both: 'WebSocket message and control frame' } as const;

function leavingFilters({ secrets, destination }: FilterOptions): Filters {
  const open = (place: string) => secrets.createOutgoingScanner(destination, { place });
  const both = open(places.both);
  const filter = (place: string): Filter => {
    const own = open(place);
    return safely((data) => {
      const found = own.push(data) ?? both.push(data, { isSearched: true });
      return found === null ? { data } : { refusal: { decision: 'blocked', ...found } };
    });
  };
  return { message: filter(places.message), control: filter(places.control) };
}

function arrivingFilters({ scrubber, destination, draft }: FilterOptions): Filters {
  if (scrubber === null) return { message: (data) => ({ data }), control: (data) => ({ data }) };
  const both = scrubber.createWatch();
  const filter = (place: string): Filter => {
    const own = scrubber.createWatch();
    return safely((data) => {
      const body = scrubber.createBodyScrubber();
      const [first, rest] = [body.push(data), body.flush()];
      const scrubbed = rest.length === 0 ? first : Buffer.concat([first, rest]);
      for (const { name, scrubs } of body.counts()) addUse(draft, name, { scrubs });
      const inOwn = own.push(scrubbed);
      const secret = inOwn ?? both.push(scrubbed, { isSearched: true });
      return secret === null ? { data: scrubbed } : { refusal: inPieces(secret, { host: destination.host, place: inOwn === null ? places.both : place }) };
    });
  };
  return { message: filter(places.message), control: filter(places.control) };
}

function inPieces(secret: string, { host, place }: { host: string; place: string }): Omit<Refusal, 'status'> {
  return {
    decision: 'blocked', reason: 'real-secret-arriving', secret, place,
    remedy: `"${host}" sent the real value of secret "${secret}" in pieces, in several WebSocket messages or control frames, so that it could not be replaced.`,
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
