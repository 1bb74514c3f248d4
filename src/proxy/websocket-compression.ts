import { extension, PerMessageDeflate, type Extensions } from 'ws';
import { maxMessageBytes } from './websocket-hop.ts';

export type Agreement = {
  upstream: Extensions;
  client: Extensions;
  /** what the client is answered; empty for no extension */
  header: string;
};

/**
 * What the upstream answered to `prepareHandshake`'s offer, and what the client is answered to its own: compression where both can, each hop
 * with parameters of its own (RFC 7692). Null where the upstream's answer is not to what it was offered.
 */
export function agreeOnCompression({ offered, answered }: { offered: string | null; answered: string | null }): Agreement | null {
  if (answered === null || answered.trim() === '') return { upstream: {}, client: {}, header: '' };
  const upstream = new PerMessageDeflate({ ...options, isServer: false });
  try {
    const { [name]: parameters, ...others } = extension.parse(answered);
    if (offered === null || parameters === undefined || parameters.length !== 1 || Object.keys(others).length > 0) return null;
    // Kept to although it was not asked for: nobody minds a message that refers to no earlier one.
    upstream.accept(parameters)['client_no_context_takeover'] = true;
  } catch {
    return null;
  }
  const client = new PerMessageDeflate({ ...options, isServer: true });
  try {
    const header = extension.format({ [name]: client.accept(extension.parse(offered)[name]!) });
    return { upstream: { [name]: upstream }, client: { [name]: client }, header };
  } catch {
    // Offers no server can take, as of parameters nobody knows: the client's messages go without compression.
    return { upstream: { [name]: upstream }, client: {}, header: '' };
  }
}

const name = 'permessage-deflate';
/** Of all connections: each may become a message of the largest size before it is known how large it is. */
const inflatedAtOnce = 2;
/** As far as it is Decoy's to say, without a memory of earlier messages: an idle connection holds no dictionaries. */
const options = { concurrencyLimit: inflatedAtOnce, maxPayload: maxMessageBytes, serverNoContextTakeover: true, clientNoContextTakeover: true } as const;
