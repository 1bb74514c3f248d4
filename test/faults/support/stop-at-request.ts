import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { docker } from '../../integration/guest-image.ts';

/** `method path`, with a container's ID in the path replaced by its name without the run's id: `POST /containers/sandbox/start`. */
export type StoppedEngine = AsyncDisposable & {
  dockerHost: string;
  /** resolves with the run's id when the request has come, which goes no further yet */
  reached: Promise<string>;
  /** lets it go on after all */
  goOn(): void;
};

/** The machine's engine behind a socket of its own, where all bytes pass until each of `requests` has come, in this order: the last one does not. */
export async function stopAtRequest(...requests: readonly RegExp[]): Promise<StoppedEngine> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stopped-engine-'));
  const file = path.join(folder, 'docker.sock');
  const awaited = [...requests];
  const matches = (request: string) => {
    if (awaited[0]?.test(request)) awaited.shift();
    return awaited.length === 0;
  };
  const open = new Set<net.Socket>();
  let reach!: (runId: string) => void;
  const reached = new Promise<string>((resolve) => { reach = resolve; });
  let goOn!: () => void;
  const released = new Promise<void>((resolve) => { goOn = resolve; });
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const engine = net.connect({ path: '/var/run/docker.sock', allowHalfOpen: true });
    for (const socket of [client, engine]) open.add(socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket)));
    // The end of one side's process is the end of both.
    client.on('close', () => engine.destroy());
    engine.pipe(client);
    void pass(client, { engine, matches, reach, released }).catch(() => engine.destroy());
  });
  await once(server.listen(file), 'listening');
  return {
    dockerHost: `unix://${file}`, reached, goOn,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((closed) => server.close(closed));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Passing = { engine: net.Socket; matches(request: string): boolean; reach(runId: string): void; released: Promise<void> };

async function pass(client: net.Socket, { engine, matches, reach, released }: Passing): Promise<void> {
  // Once for all chunks: each would leave its listeners behind.
  const gone = once(client, 'close').catch(() => undefined);
  for await (const chunk of client) {
    const { request, runId } = await describe((chunk as Buffer).toString('latin1'));
    if (runId !== null && matches(request)) {
      reach(runId);
      await Promise.race([gone, released]);
      if (client.destroyed) return;
    }
    if (!engine.write(chunk as Buffer)) await once(engine, 'drain');
  }
  engine.end();
}

async function describe(text: string): Promise<{ request: string; runId: string | null }> {
  const [, method, target = ''] = /^(GET|PUT|POST|DELETE) (\S+) HTTP/.exec(text) ?? [];
  if (method === undefined) return { request: '', runId: null };
  const [, id] = /\/containers\/([0-9a-f]{64})/.exec(target) ?? [];
  const name = id === undefined ? target : (await docker(['inspect', '--format', '{{.Name}}', id])).stdout.trim();
  const [, runId = null, kind = ''] = /decoy-([0-9a-f]{12})-([a-z]+)/.exec(name) ?? [];
  return { request: `${method} ${target.replace(id ?? /$^/, kind).replace(`decoy-${runId}-`, '')}`, runId };
}
