import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { footprint } from '../integration/support/footprint.ts';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { busybox, openTestImage } from '../integration/support/test-image.ts';
import { openWorkspace } from '../integration/support/workspace.ts';

/** Passes everything on, but for the files of the container with this name: as soon as the engine has mounted them it is told that nothing more comes, and says so. */
async function openRelay(socketPath: string, purpose: string): Promise<net.Server> {
  let heldId: string | null = null;
  const relay = net.createServer({ allowHalfOpen: true }, (client) => {
    const engine = net.connect({ path: '/var/run/docker.sock', allowHalfOpen: true });
    let isCreation = false;
    let isHold = false;
    client.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      isCreation ||= text.startsWith('POST ') && text.includes(`-${purpose}`) && text.includes('/containers/create');
      isHold ||= heldId !== null && text.startsWith('PUT ') && text.includes(`${heldId}/archive`);
      engine.write(bytes);
    }).on('end', () => engine.end()).on('error', () => engine.destroy());
    engine.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      if (isCreation) heldId ??= /"Id":"([0-9a-f]{64})"/.exec(text)?.[1] ?? null;
      // Not a chunk's size.
      if (isHold && text.startsWith('HTTP/1.1 100')) engine.write('no chunk\r\n\r\n');
      client.write(bytes);
    }).on('end', () => client.end()).on('error', () => client.destroy());
  });
  await once(relay.listen(socketPath), 'listening');
  return relay;
}

test.each(['image', 'snapshot'])('what the engine says is told where it lets the files of an image go that it was to hold: %s', async (purpose) => {
  await using workspace = await openWorkspace();
  await using image = openTestImage({ entries: busybox('sh', 'echo') });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lets-go-'));
  const relay = await openRelay(path.join(folder, 'engine.sock'), purpose);
  try {
    const end = await runDecoy(['--quiet', '--image', image.reference, ...(purpose === 'snapshot' ? ['--snapshot-to', 'one'] : []), '--', 'sh', '-c', 'echo ran'], {
      cwd: workspace.path, env: { DOCKER_HOST: `unix://${path.join(folder, 'engine.sock')}`, DECOY_SNAPSHOTS: path.join(folder, 'records') },
    });
    expect(end.exitCode, end.stderr).toBe(125);
    expect(end.stderr.replaceAll(/\s+/g, ' ')).toContain(`cannot mount the files of the image ${JSON.stringify(image.reference)}: `);
    expect(await footprint(end.report!.id)).toEqual([]);
  } finally {
    relay.close();
    fs.rmSync(folder, { recursive: true });
  }
}, 60_000);
