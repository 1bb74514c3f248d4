import { once } from 'node:events';
import net from 'node:net';
import { openExposed } from '../../src/expose/open-exposed.ts';

/** An exposed port that leads to what `serve` does with a connection: the server in the sandbox, without the sandbox. */
export async function openInside(serve: (socket: net.Socket) => void) {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => serve(socket.on('error', () => {})));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;
  let isUp = true;
  const connect = async () => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return isUp ? socket : (socket.destroy(), null);
  };
  const opened = await openExposed({ requests: [{ port: 8080, at: { kind: 'http', hostPort: null } }], file: null }, connect);
  const { url, token } = opened.exposed[0] as { url: string; token: string };
  return {
    url, token, connect, usage: () => opened.usage()[0]!,
    port: Number(new URL(url).port),
    goDown: () => { isUp = false; },
    /** sends the text as it is, and gives all that comes back */
    raw: async (text: string) => {
      const socket = net.connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
      socket.write(text);
      let answer = '';
      socket.setEncoding('latin1').on('data', (piece: string) => { answer += piece; });
      await once(socket, 'close');
      return answer;
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      server.close();
    },
  };
}

/** Collects a request's head and then answers with the text. */
export function answering(answer: string, received: string[] = []): (socket: net.Socket) => void {
  return (socket) => {
    let head = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      head += piece;
      if (!head.includes('\r\n\r\n')) return;
      received.push(head);
      head = '';
      socket.end(answer);
    });
  };
}
