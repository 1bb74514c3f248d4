import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';

/**
 * Opens every connection to the engine, and can break all of them at once, those among them that have become a container's streams:
 * an engine that hangs answers nothing, and what waits for it would wait for ever.
 */
export class EngineConnections extends http.Agent {
  readonly #open = new Set<net.Socket>();
  #lost: Error | null = null;

  /** `keepAlive`: for an engine that leaves connections open which are not used for a while */
  constructor({ keepAlive }: { keepAlive: boolean } = { keepAlive: true }) {
    super({ keepAlive });
  }

  /**
   * docker-modem describes the options of every request, its agent with all sockets among them, for a log that is off: a tenth of a start's processor time went there.
   */
  [inspect.custom](): string {
    return 'EngineConnections';
  }

  /** why all connections were broken, and no new one is made; else null */
  get lost(): Error | null {
    return this.#lost;
  }

  override createConnection(options: object): Duplex {
    const socket = net.connect(options as net.NetConnectOpts);
    this.#open.add(socket.once('close', () => this.#open.delete(socket)));
    if (this.#lost !== null) socket.destroy(this.#lost);
    return socket;
  }

  /** Whatever waits for the engine, or comes to ask it, gets this error. */
  break(error: Error): void {
    this.#lost ??= error;
    for (const socket of this.#open) socket.destroy(this.#lost);
  }
}
