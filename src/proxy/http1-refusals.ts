import type { Refusal } from './refusal.ts';

/** Requests a connection may have waiting. Hardly anything pipelines; apt sends ten. */
export const MAX_PIPELINED = 16;

/** Of those whose messages are read, each of which may hold one of 16 MiB from either side. */
export const MAX_READ_WEBSOCKETS = 64;

export const tooManyWebSockets: Refusal = {
  status: 503, decision: 'blocked', reason: 'capacity', remedy: `Keep at most ${MAX_READ_WEBSOCKETS} WebSocket connections open at once.`,
};
export const tooManyPipelined: Refusal = {
  status: 429, decision: 'blocked', reason: 'capacity', remedy: `Wait for answers: a connection may have ${MAX_PIPELINED} requests without one.`,
};
export const upgradeTooEarly: Refusal = {
  status: 400, decision: 'blocked', reason: 'bad-request', remedy: 'Wait for the answers to earlier requests of the connection before you offer to upgrade it.',
};
export const http2WithoutAsking: Refusal = {
  status: 501, decision: 'blocked', reason: 'unsupported-protocol',
  remedy: 'HTTP/2 is spoken over TLS only, and only where ALPN has agreed on it: use "https://", or HTTP/1.1.',
};
export const badRequest: Refusal = {
  status: 400, decision: 'blocked', reason: 'bad-request',
  remedy: 'Send well-formed HTTP/1.1: another protocol passes only where a rule such as `tcp://db.example.com:5432` names the host and port.',
};
