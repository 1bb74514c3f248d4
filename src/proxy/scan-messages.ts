import type { BodyScan } from './decoded-scan.ts';
import type { MessageFraming } from './message-framing.ts';
import { refuseMessages } from './refuse-messages.ts';
import { createMessageReader } from './read-messages.ts';

/** A scan that also refuses messages it cannot look into, and what is no message. */
export function scanMessages(scan: BodyScan, framing: MessageFraming): BodyScan {
  const reader = createMessageReader(framing);
  return {
    push(chunk) {
      const read = reader.push(chunk);
      return read.ok ? scan.push(chunk) : refuseMessages(read.problem);
    },
  };
}
