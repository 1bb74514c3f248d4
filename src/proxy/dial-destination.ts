import type { Destination, Endpoint } from '../policy/policy.ts';

/** `tcp`: a raw connection, with TLS or without, that is nobody's business here. */
export type DialDestination = Endpoint & { scheme: Destination['scheme'] | 'tcp' };
