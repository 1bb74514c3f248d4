import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { footprint } from '../integration/support/footprint.ts';
import { decoy, runDecoy } from '../integration/support/run-decoy.ts';
import { busybox, openTestImage } from '../integration/support/test-image.ts';
import { openWorkspace } from '../integration/support/workspace.ts';

/** Passes everything on, but tells whoever first creates the container with this name that the files held for it are not there. */
async function openDoubter(socketPath: string, name: string): Promise<{ relay: net.Server; doubted(): number }> {
  let doubted = 0;
  const relay = net.createServer({ allowHalfOpen: true }, (client) => {
    const engine = net.connect({ path: '/var/run/docker.sock', allowHalfOpen: true });
    let request = '';
    client.on('data', (bytes: Buffer) => {
      request = bytes.toString('latin1').startsWith('POST ') ? bytes.toString('latin1') : request + bytes.toString('latin1');
      const path = /"Source":"([^"]+\/merged)"/.exec(request)?.[1];
      if (doubted > 0 || !new RegExp(`^POST \\S*/containers/create\\?\\S*-${name}[& ]`).test(request) || path === undefined) return void engine.write(bytes);
      doubted += 1;
      const body = JSON.stringify({ message: `invalid mount config for type "bind": bind source path does not exist: ${path}` });
      client.write(`HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    }).on('end', () => engine.end()).on('error', () => engine.destroy());
    engine.on('data', (bytes: Buffer) => client.write(bytes)).on('end', () => client.end()).on('error', () => client.destroy());
  });
  await once(relay.listen(socketPath), 'listening');
  return { relay, doubted: () => doubted };
}

/** Passes everything on, but for the files of the container with this name: as soon as the engine has mounted them it is told that nothing more comes, and says so. */
async function openRelay(socketPath: string, purpose: string): Promise<net.Server> {
  let heldId: string | null = null;
  const relay = net.createServer({ allowHalfOpen: true }, (client) => {
    const engine = net.connect({ path: '/var/run/docker.sock', allowHalfOpen: true });
    let isCreation = false;
    let isHold = false;
    const waiting: Buffer[] = [];
    client.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      isCreation ||= text.startsWith('POST ') && text.includes(`-${purpose}`) && text.includes('/containers/create');
      isHold ||= heldId !== null && text.startsWith('PUT ') && text.includes(`${heldId}/archive`);
      engine.write(bytes);
    }).on('end', () => engine.end()).on('error', () => engine.destroy());
    engine.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      if (isCreation) heldId ??= /"Id":"([0-9a-f]{64})"/.exec(text)?.[1] ?? null;
      if (isHold && text.startsWith('HTTP/1.1 100')) {
        // Not a chunk's size. What the engine says comes when it has let the files go, and Decoy hears of neither before.
        engine.write('no chunk\r\n\r\n');
        waiting.push(bytes);
        isHold = false;
        return;
      }
      client.write(Buffer.concat([...waiting.splice(0), bytes]));
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

test.each(['keeper', 'copier'])('an engine that says for a moment that the held files are not there is asked again: %s', async (name) => {
  await using workspace = await openWorkspace();
  await using image = openTestImage({ entries: busybox('sh', 'echo') });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lets-go-'));
  const socketPath = path.join(folder, 'engine.sock');
  const { relay, doubted } = await openDoubter(socketPath, name);
  const env = { DOCKER_HOST: `unix://${socketPath}`, DECOY_SNAPSHOTS: path.join(folder, 'records') };
  try {
    const end = await runDecoy(['--quiet', '--image', image.reference, '--snapshot-to', 'one', '--', 'sh', '-c', 'echo ran'], { cwd: workspace.path, env });
    expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
    expect(end.report!.snapshot).toMatchObject({ name: 'one' });
    expect(doubted()).toBe(1);
  } finally {
    await decoy(['snapshots', 'remove', 'one'], { cwd: workspace.path, env });
    relay.close();
    fs.rmSync(folder, { recursive: true });
  }
}, 60_000);
