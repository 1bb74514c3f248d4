import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import tls from 'node:tls';
import grpc from '@grpc/grpc-js';
import { createAuthority } from '../../../src/trust/authority.ts';

/** A real gRPC server, for any name, that keeps the credentials it was sent. */
export type Words = AsyncDisposable & { port: number; certificatePem: string; authorizations: string[] };

export async function startWords(): Promise<Words> {
  const authority = await createAuthority();
  const authorizations: string[] = [];
  const note = ({ metadata }: { metadata: grpc.Metadata }) => void authorizations.push(String(metadata.get('authorization')[0]));
  const server = new grpc.Server();
  server.addService({ unary: method('Unary', false), both: method('Both', true) }, {
    unary(call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
      note(call);
      done(null, Buffer.from(`got ${call.request}, ${authorizations.at(-1)}`));
    },
    both(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      note(call);
      // It ends like the token begins, and the client waits for each answer (docs/secrets.md, What is scrubbed).
      call.on('data', (word: Buffer) => call.write(Buffer.from(`got ${word} r`))).on('end', () => call.end());
    },
  });
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const listener = tls.createServer({
    ALPNProtocols: ['h2'], SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  }, (socket) => injector.injectConnection(socket));
  listener.on('connection', (socket: Socket) => void sockets.add(socket)).on('tlsClientError', () => undefined);
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (listener.address() as AddressInfo).port, certificatePem: authority.certificatePem, authorizations,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
      sockets.forEach((socket) => socket.destroy());
      await new Promise((closed) => listener.close(closed));
    },
  };
}

function method(name: string, isStreamed: boolean) {
  const bytes = (message: Buffer) => message;
  return {
    path: `/test.Words/${name}`, requestStream: isStreamed, responseStream: isStreamed,
    requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes,
  };
}
