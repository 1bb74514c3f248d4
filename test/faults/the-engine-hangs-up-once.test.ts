import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { openWorkspace } from '../integration/support/workspace.ts';

test('an engine that hangs up on the first connection, as Podman\'s service does when it ends for idleness, is asked again', async () => {
  await using workspace = await openWorkspace();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hangs-up-'));
  const socketPath = path.join(folder, 'engine.sock');
  let connections = 0;
  const relay = net.createServer({ allowHalfOpen: true }, (socket) => {
    connections += 1;
    if (connections === 1) return void socket.once('data', () => socket.destroy());
    const engine = net.connect({ path: '/var/run/docker.sock', allowHalfOpen: true });
    socket.on('error', () => engine.destroy()).pipe(engine).on('error', () => socket.destroy()).pipe(socket);
  });
  try {
    await once(relay.listen(socketPath), 'listening');
    const end = await runDecoy(['--quiet', '--', 'echo', 'ran'], { cwd: workspace.path, env: { DOCKER_HOST: `unix://${socketPath}` } });
    expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
    expect(connections).toBeGreaterThan(1);
  } finally {
    relay.close();
    fs.rmSync(folder, { recursive: true });
  }
}, 60_000);
