import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Destination, RefusalReason } from '../policy/policy.ts';
import { addUse, type Draft } from './audit.ts';

/** Why a request was not forwarded. Neither `remedy` nor any other field holds a header value, a body or a query. */
export type Refusal = {
  /** status of the answer */
  status: number;
  decision: 'blocked' | 'failed';
  reason: RefusalReason;
  remedy: string;
  /** when to try again */
  retryAfterSeconds?: number;
  secret?: string;
  place?: string;
  /** nothing that follows on an HTTP/1.1 connection is read */
  endsConnection?: true;
};

/** As an entry tells it: without a status where no answer went out. */
export type NotedRefusal = Omit<Refusal, 'status'> & { status: number | null };

export function noteRefusal(draft: Draft, refusal: NotedRefusal): void {
  draft.decision = refusal.decision;
  draft.reason = refusal.reason;
  draft.remedy = refusal.remedy;
  draft.status = refusal.status;
  if (refusal.secret !== undefined) addUse(draft, refusal.secret, { refusals: 1 });
}

/** The answer's headers and body; the header lets a client that shows no bodies show the reason. */
export function renderRefusal(refusal: Refusal, destination: Destination): { headers: string[]; body: Buffer } {
  const { reason, secret, place, remedy } = refusal;
  const error = refusal.decision === 'blocked' ? 'blocked by decoy' : 'failed in decoy';
  const body = Buffer.from(`${JSON.stringify({ error, reason, host: destination.host, secret, place, remedy })}\n`);
  return {
    headers: [
      'content-type', 'application/json', 'content-length', String(body.length), 'cache-control', 'no-store', 'x-decoy-blocked', reason,
      ...(refusal.retryAfterSeconds === undefined ? [] : ['retry-after', String(refusal.retryAfterSeconds)]),
    ],
    body,
  };
}

/** Answers with the refusal. The caller has made sure that no header was sent. */
export function sendRefusal(response: ServerResponse, refusal: Refusal, destination: Destination): void {
  const { headers, body } = renderRefusal(refusal, destination);
  const request = response.req;
  if (refusal.endsConnection) response.shouldKeepAlive = false;
  if (request.complete || hasSmallBody(request.headers)) {
    response.writeHead(refusal.status, headers).end(body);
    request.resume();
    return;
  }
  // Closing at once would reset the connection under a client that is still sending, and it would never read the answer.
  // So: answer, swallow what comes for a while, then close.
  response.shouldKeepAlive = false;
  response.writeHead(refusal.status, [...headers, 'connection', 'close']).write(body);
  let swallowedBytes = 0;
  const close = () => response.end();
  const timer = setTimeout(close, lingerMs);
  request.on('data', (chunk: Buffer) => {
    swallowedBytes += chunk.length;
    if (swallowedBytes > lingerBytes) close();
  });
  request.once('end', close);
  response.once('close', () => clearTimeout(timer));
  request.resume();
}

const lingerMs = 1_000;
const lingerBytes = 1 << 20;
const smallBytes = 64 << 10;

function hasSmallBody(headers: IncomingHttpHeaders): boolean {
  // Told no, a client that asked to continue may leave its body out: whether it does is not known (RFC 9110, 10.1.1).
  if (headers['transfer-encoding'] !== undefined || headers.expect !== undefined) return false;
  return Number(headers['content-length'] ?? 0) <= smallBytes;
}
