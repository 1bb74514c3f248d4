import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { docker } from '../guest-image.ts';

/** A real registry on loopback, where engines take plain HTTP, behind a relay that sees and can hold what is asked of it. */
export type Registry = AsyncDisposable & {
  /** host and port, as a reference begins */
  host: string;
  /** of each request so far: method, path, and whether it was a login */
  asked: { method: string; path: string; authorization: string | null }[];
  /** Pushes a local image by this name. */
  push(reference: string, name: string): Promise<void>;
  /** From now on layers do not arrive. Resolves when one is asked for. */
  holdBlobs(): Promise<void>;
  /** From now on there are no layers, nor were there for whoever waits for one. */
  loseBlobs(): void;
};

export type RegistryLogin = { username: string; password: string };

/** With a login the registry asks for it (htpasswd); without one it is open to all. */
export async function startRegistry({ login }: { login?: RegistryLogin } = {}): Promise<Registry> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'decoy-registry-'));
  const behind = await freePort();
  writeFileSync(path.join(folder, 'config.yml'), config({ folder, port: behind, login }));
  if (login !== undefined) writeFileSync(path.join(folder, 'htpasswd'), execFileSync('htpasswd', ['-Bbn', login.username, login.password]));
  const program = spawn('docker-registry', ['serve', path.join(folder, 'config.yml')], { stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '' } });
  const asked: Registry['asked'] = [];
  let held: (() => void) | null = null;
  let lost = false;
  const waiting: ServerResponse[] = [];
  const relay = http.createServer((request, response) => {
    asked.push({ method: request.method ?? '', path: request.url ?? '', authorization: request.headers.authorization ?? null });
    if (request.method === 'GET' && request.url?.includes('/blobs/')) {
      if (lost) return notFound(response);
      if (held !== null) {
        waiting.push(response);
        return held();
      }
    }
    pass(request, { response, port: behind });
  });
  await once(relay.listen(0, '127.0.0.1'), 'listening');
  await listening(behind);
  const host = `127.0.0.1:${(relay.address() as AddressInfo).port}`;
  return {
    host,
    asked,
    push: async (reference, name) => {
      const target = `${host}/${name}`;
      const environment = login === undefined ? {} : { DOCKER_CONFIG: path.join(folder, 'docker') };
      const steps = [['tag', reference, target], ...(login === undefined ? [] : [['login', '-u', login.username, '-p', login.password, host]]), ['push', '-q', target]];
      // Not synchronously: the relay is in this process.
      for (const step of steps) await promisify(execFile)('docker', step, { env: { ...process.env, ...environment } });
      await docker(['rmi', target]);
    },
    loseBlobs: () => {
      lost = true;
      waiting.splice(0).forEach(notFound);
    },
    holdBlobs: () => new Promise((begun) => { held = begun; }),
    [Symbol.asyncDispose]: async () => {
      relay.close();
      relay.closeAllConnections();
      program.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function config({ folder, port, login }: { folder: string; port: number; login: RegistryLogin | undefined }): string {
  return JSON.stringify({
    version: '0.1', log: { level: 'error' }, storage: { filesystem: { rootdirectory: path.join(folder, 'data') } },
    // Uploads go on by relative addresses: the relay's, not the registry's own.
    http: { addr: `127.0.0.1:${port}`, relativeurls: true },
    ...(login === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: path.join(folder, 'htpasswd') } } }),
  });
}

/** As a registry says it: https://distribution.github.io/distribution/spec/api/#errors */
function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}');
}

function pass(request: IncomingMessage, { response, port }: { response: ServerResponse; port: number }): void {
  const onward = http.request({ port, host: '127.0.0.1', method: request.method!, path: request.url!, headers: request.headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

async function freePort(): Promise<number> {
  const server = http.createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const answers = await new Promise<boolean>((done) => {
      http.get({ port, host: '127.0.0.1', path: '/v2/' }, (answer) => done(answer.resume().statusCode !== undefined)).on('error', () => done(false));
    });
    if (answers) return;
    await sleep(50);
  }
  throw new Error('the registry did not start');
}
