import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Destination } from '../policy/policy.ts';
import type { Audit, Draft } from './audit.ts';
import type { ProxyOptions } from './options.ts';
import { noteRefusal, sendRefusal, type Refusal } from './refusal.ts';
import type { Upstream } from './upstream.ts';

/** What every part of the proxy works with. */
export type ProxyContext = Pick<ProxyOptions, 'policy' | 'secrets' | 'authority'> & { upstream: Upstream; audit: Audit };

/** One request and its answer. */
export type Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  destination: Destination;
  draft: Draft;
  context: ProxyContext;
};

/** Refuses the request: with an answer, or, when part of another answer is under way, by cutting the connection so that it shows. */
export function refuse({ request, response, destination, draft }: Exchange, refusal: Refusal): void {
  noteRefusal(draft, refusal);
  if (response.headersSent) request.socket.destroy();
  else if (!response.destroyed) sendRefusal(response, refusal, destination);
}
