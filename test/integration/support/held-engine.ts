import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { docker } from '../guest-image.ts';

/** The engine behind a socket of its own, where the start of a run's gateway waits until a test has done what it has to. */
export type HeldEngine = AsyncDisposable & { dockerHost: string };

/** `before` is given the run's id; the gateway starts when it resolves. Every byte between Decoy and the engine passes as it is. */
export async function holdGatewayStart(before: (runId: string) => Promise<void>): Promise<HeldEngine> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'held-engine-'));
  const file = path.join(folder, 'docker.sock');
  const open = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const engine = net.connect({ path: '/var/run/docker.sock', allowHalfOpen: true });
    for (const socket of [client, engine]) open.add(socket.on('error', () => socket.destroy()).on('close', () => open.delete(socket)));
    engine.pipe(client);
    void pass(client, { engine, before }).catch(() => engine.destroy());
  });
  await once(server.listen(file), 'listening');
  return {
    dockerHost: `unix://${file}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((closed) => server.close(closed));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function pass(client: net.Socket, { engine, before }: { engine: net.Socket; before(runId: string): Promise<void> }): Promise<void> {
  for await (const chunk of client) {
    const [, id] = /^POST [^ ]*\/containers\/([^/ ]+)\/start[ ?]/.exec((chunk as Buffer).toString('latin1')) ?? [];
    const name = id === undefined ? '' : (await docker(['inspect', '--format', '{{.Name}}', id])).stdout.trim();
    const [, runId] = /^\/decoy-(.*)-gateway$/.exec(name) ?? [];
    if (runId !== undefined) await before(runId);
    if (!engine.write(chunk as Buffer)) await once(engine, 'drain');
  }
  engine.end();
}
