import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ExposedPort } from '../report/report.ts';
import type { ExposeConfig, Exposed, ExposeRequest } from './expose-request.ts';
import { serveHttp } from './serve-http.ts';
import { serveSocket } from './serve-socket.ts';
import { writeExposedFile } from './exposed-file.ts';

/** A connection to the server in the sandbox; null where nobody listens. */
export type Connect = () => Promise<Socket | null>;

export type OpenExposed = AsyncDisposable & {
  exposed: Exposed[];
  usage(): ExposedPort[];
};

/**
 * Opens what the host may reach of the sandbox: nothing of it can be used by the sandbox, as all of it listens on the host. Closed, and the file that tells of
 * it removed, when disposed of.
 */
export async function openExposed({ requests, file }: ExposeConfig, connectTo: (port: number) => ReturnType<Connect>): Promise<OpenExposed> {
  const opened: Opened[] = [];
  const dispose = async () => void await Promise.all(opened.map((one) => one[Symbol.asyncDispose]()));
  try {
    for (const request of requests) opened.push(await open(request, () => connectTo(request.port)));
    const exposed = opened.map((one) => one.exposed);
    if (file !== null) opened.push({ exposed: exposed[0] as Exposed, usage: () => null, [Symbol.asyncDispose]: await writeExposedFile(file, exposed) });
    return { exposed, usage: () => opened.flatMap((one) => one.usage() ?? []), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

type Opened = AsyncDisposable & { exposed: Exposed; usage(): ExposedPort | null };

async function open({ port, at }: ExposeRequest, connect: Connect): Promise<Opened> {
  if (at.kind === 'socket') {
    const served = await serveSocket({ path: at.path, connect });
    return { exposed: { port, socket: at.path }, usage: () => ({ port, socket: at.path, ...served.counts() }), [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() };
  }
  const token = randomBytes(32).toString('base64url');
  const served = await serveHttp({ port, hostPort: at.hostPort, token, connect });
  const { url } = served;
  return { exposed: { port, url, token }, usage: () => ({ port, url, ...served.counts() }), [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() };
}
