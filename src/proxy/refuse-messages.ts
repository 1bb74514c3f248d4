import type { BodyRefusal } from './decoded-scan.ts';
import type { MessageProblem } from './read-messages.ts';

/** Why a request's messages cannot be searched, as the sandbox is told. */
export function refuseMessages(problem: MessageProblem | 'not-base64'): Extract<BodyRefusal, { reason: 'unscannable-body' }> {
  return { reason: 'unscannable-body', remedy: remedies[problem] };
}

const remedies: Readonly<Record<MessageProblem | 'not-base64', string>> = {
  compressed: 'Send gRPC and Connect messages uncompressed ("identity"), so that they can be searched for secrets.',
  malformed: 'Send messages as the Content-Type says, each with a byte of flags and four of its length before it, so that they can be searched for secrets.',
  'not-base64': 'Send application/grpc-web-text in base64 with its standard alphabet, padded and without line breaks, so that it can be searched for secrets.',
};
