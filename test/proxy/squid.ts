import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = '/usr/sbin/squid';
const authenticator = '/usr/lib/squid/basic_ncsa_auth';

export const hasSquid = existsSync(program) && existsSync(authenticator);

/** Squid as Debian has it: Basic credentials, names from a hosts file, `forbidden` not to be asked for. */
export async function startSquid({ login, hosts, forbidden }: { login: { user: string; password: string }; hosts: string[]; forbidden: string }) {
  const folder = await mkdtemp(join(tmpdir(), 'decoy-squid-'));
  // Started by root, Squid reads its files as another user.
  await chmod(folder, 0o755);
  const hash = spawnSync('openssl', ['passwd', '-apr1', login.password], { encoding: 'utf8' }).stdout.trim();
  await writeFile(join(folder, 'users'), `${login.user}:${hash}\n`);
  await writeFile(join(folder, 'hosts'), hosts.map((host) => `127.0.0.1 ${host}\n`).join(''));
  const port = await freePort();
  await writeFile(join(folder, 'squid.conf'), `
http_port 127.0.0.1:${port}
pid_filename none
cache_log /dev/null
access_log none
cache deny all
pinger_enable off
shutdown_lifetime 0 seconds
hosts_file ${folder}/hosts
auth_param basic program ${authenticator} ${folder}/users
acl known proxy_auth REQUIRED
acl forbidden dstdomain ${forbidden}
http_access deny forbidden
http_access allow known
http_access deny all
`);
  const squid = spawn(program, ['-N', '-d', '1', '-f', join(folder, 'squid.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(squid, 'exit');
  let log = '';
  await new Promise<void>((resolve, reject) => {
    squid.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('Accepting HTTP Socket connections')) resolve();
    });
    squid.once('exit', () => reject(new Error(`squid ended:\n${log}`)));
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      squid.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
