import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { Probe } from '../sandbox/probe-channel.ts';

export type CanaryAnswer = { status: number; headers: http.IncomingHttpHeaders; body: string };

/** A client on one connection that was opened from inside. */
export type CanaryClient = {
  get(request: { path: string; authorization: string }): Promise<CanaryAnswer>;
};

/** One client a host. */
export type CanaryClients = Disposable & {
  /** @throws where the name leads elsewhere, or the other end has no certificate of the authority for it */
  to(host: string): Promise<CanaryClient>;
};

/** Clients that trust the run's authority (PEM) and nothing else: what is let through unread fails here. */
export function openClients({ probe, authorityPem }: { probe: Probe; authorityPem: string }): CanaryClients {
  const clients = new Map<string, Promise<CanaryClient>>();
  const sockets: tls.TLSSocket[] = [];
  const open = async (host: string): Promise<CanaryClient> => {
    const probed = await probe({ host, port: 443 });
    if (probed.kind === 'failed') throw new Error(probed.message);
    if (!/^198\.1[89]\./.test(probed.address)) throw new Error(`the name led to ${probed.address}`);
    const secured = secure(probed.connection, { host, authorityPem });
    sockets.push(secured.on('error', () => {}));
    await once(secured, 'secureConnect');
    return createClient(secured, host);
  };
  return {
    to: (host) => {
      const client = clients.get(host) ?? open(host);
      clients.set(host, client);
      return client;
    },
    [Symbol.dispose]: () => sockets.forEach((socket) => socket.destroy()),
  };
}

function secure(socket: Socket, { host, authorityPem }: { host: string; authorityPem: string }): tls.TLSSocket {
  return tls.connect({
    socket, host, servername: host, ca: authorityPem, ALPNProtocols: ['http/1.1'],
    // Said explicitly, as NODE_TLS_REJECT_UNAUTHORIZED=0 changes the default.
    rejectUnauthorized: true,
  });
}

function createClient(socket: tls.TLSSocket, host: string): CanaryClient {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  // Whatever time the server says it keeps connections for: there is only this one.
  agent.keepSocketAlive = () => true;
  return {
    async get({ path, authorization }) {
      const request = http.get({ agent, path, headers: { host, authorization } });
      // The first is told by what waits; the connection may be taken away after that.
      request.on('error', () => {});
      const [response] = await once(request, 'response') as [http.IncomingMessage];
      let body = '';
      for await (const chunk of response.setEncoding('latin1')) body += chunk as string;
      return { status: response.statusCode ?? 0, headers: response.headers, body };
    },
  };
}
