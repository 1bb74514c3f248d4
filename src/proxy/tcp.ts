import type { Socket } from 'node:net';
import type { Endpoint, Verdict } from '../policy/policy.ts';
import { draftEntry, type Draft } from './audit.ts';
import { DialError } from './dial.ts';
import type { ProxyContext } from './exchange.ts';
import { joinSockets, waitingSocketBytes } from './join-sockets.ts';
import { memoryUsedUp } from './memory-budget.ts';
import { noteObserved } from './note-observed.ts';
import { noteRefusal, type Refusal } from './refusal.ts';
import { createWaitingMemory } from './waiting-memory.ts';

export type TcpOptions = { endpoint: Endpoint; verdict: Extract<Verdict, { allowed: true }>; context: ProxyContext };

/**
 * Passes a connection on as it is, to an address that was checked, until both sides have ended it. No placeholder is ever swapped here:
 * of the bytes nothing is understood, so they are only searched, and what TLS hides in them is not found (docs/threat-model.md, I5).
 */
export async function passTcp(client: Socket, { endpoint, verdict, context }: TcpOptions): Promise<void> {
  const draft = draftEntry({ protocol: 'tcp', ...endpoint });
  draft.rule = verdict.rule;
  noteObserved(draft, verdict);
  client.once('close', () => context.audit.record(draft));
  // Before the first await: an end that was not noticed yet must not close the other direction.
  client.allowHalfOpen = true;
  const upstream = await context.upstream.connect({ scheme: 'tcp', ...endpoint }).catch((error: unknown) => {
    noteFailure(draft, error, endpoint);
    client.destroy();
    return null;
  });
  if (upstream === null) return;
  upstream.allowHalfOpen = true;
  if (client.destroyed) return void upstream.destroy();

  const cut = (found: Found) => {
    noteRefusal(draft, { ...found, status: null, decision: 'blocked' });
    // The upstream first, and abruptly: what it has of a value must not look like the whole of a message.
    upstream.resetAndDestroy();
    client.destroy();
  };
  const bounded = () => ({ waiting: createWaitingMemory(context.memory, waitingSocketBytes), onMemoryUsedUp: () => cut(memoryUsedUp(context.memory)) });
  const watch = watchOf({ endpoint, context });
  joinSockets(client, upstream, {
    up: { find: watch.leaving, onFound: cut, onBytes: (count) => { draft.requestBytes += count; }, ...bounded() },
    down: { find: watch.arriving, onFound: cut, onBytes: (count) => { draft.responseBytes += count; }, ...bounded() },
  });
}

type Found = Pick<Refusal, 'reason' | 'remedy' | 'secret' | 'place'>;
type Find = (chunk: Buffer) => Found | null;

function watchOf({ endpoint, context: { secrets } }: Pick<TcpOptions, 'endpoint' | 'context'>): { leaving: Find; arriving: Find } {
  const { host, port } = endpoint;
  const scanner = secrets.list.length === 0 ? null : secrets.createOutgoingScanner({ scheme: 'tcp', ...endpoint }, { place: 'connection' });
  const watch = secrets.scrubberFor(host)?.createWatch() ?? null;
  return {
    leaving: searchSafely((chunk) => scanner?.push(chunk) ?? null),
    arriving: searchSafely((chunk) => {
      const secret = watch?.push(chunk) ?? null;
      return secret === null ? null : {
        reason: 'real-secret-arriving', secret, place: 'connection',
        remedy: `"${host}:${port}" sent the real value of secret "${secret}", which cannot be replaced in a raw TCP connection: keep it off that service.`,
      };
    }),
  };
}

/** An error in a stream's listener would end the process, and with it the run. */
function searchSafely(find: Find): Find {
  return (chunk) => {
    try {
      return find(chunk);
    } catch {
      return { reason: 'unscannable-body', remedy: 'The connection could not be searched for secrets, which is a fault of Decoy: try again.' };
    }
  };
}

function noteFailure(draft: Draft, error: unknown, { host, port }: Endpoint): void {
  const isPrivate = error instanceof DialError && error.reason === 'private-address';
  const { reason, remedy } = error instanceof DialError ? error : { reason: 'upstream-unreachable' as const, remedy: `The connection to "${host}:${port}" failed; try again.` };
  noteRefusal(draft, { status: null, decision: isPrivate ? 'blocked' : 'failed', reason, remedy });
}
