import type { Duplex, Writable } from 'node:stream';

/** Exported by the package since 8.19 and described in its sources; @types/ws does not know them yet. */
declare module 'ws' {
  type Extensions = { 'permessage-deflate'?: PerMessageDeflate };

  type Inflater = {
    decompress(data: Buffer, isLast: boolean, done: (error: Error | null, inflated: Buffer | undefined) => void): void;
  };

  class Receiver extends Writable {
    constructor(options: { isServer: boolean; extensions: { 'permessage-deflate'?: Inflater }; maxPayload: number; maxFragments: number; maxBufferedChunks: number });
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
    on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
    on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
    on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): this;
  }

  class Sender {
    constructor(socket: Duplex, extensions: Extensions);
    send(data: Buffer, options: { binary: boolean; compress: boolean; fin: boolean; mask: boolean }, sent: () => void): void;
    ping(data: Buffer, mask: boolean, sent: () => void): void;
    pong(data: Buffer, mask: boolean, sent: () => void): void;
    close(code: number | undefined, reason: Buffer, mask: boolean, sent: () => void): void;
  }

  type ExtensionParameters = Record<string, string | number | true>;

  class PerMessageDeflate implements Inflater {
    decompress: Inflater['decompress'];
    constructor(options: { isServer: boolean; concurrencyLimit: number; maxPayload: number; serverNoContextTakeover: true; clientNoContextTakeover: true });
    /** @throws where none of the offers, or the answer, can be accepted */
    accept(configurations: unknown[]): ExtensionParameters;
    cleanup(): void;
  }

  const extension: {
    format(extensions: Record<string, ExtensionParameters>): string;
    /** @throws for a malformed header */
    parse(header: string): Record<string, unknown[]>;
  };

  export { Receiver, Sender, PerMessageDeflate, extension };
  export type { Extensions, Inflater };
}
