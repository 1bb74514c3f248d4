import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Another intercepting proxy, started as an explicit one (CONNECT), decrypting. */
export type Rival = {
  name: string;
  proxyPort: number;
  process: ChildProcess;
  /** with a placeholder in it, where the rival swaps them */
  authorization?: string;
};

/** The real value that rivals put in the placeholder's place. */
export const rivalSecret = 'sk-0123456789abcdefghijklmnopqrstuvwxyz0123';

/** squid with ssl-bump and mitmdump, where Debian's packages (squid-openssl, mitmproxy) are installed. */
export async function startRivals(folder: string, caFile: string): Promise<{ rivals: Rival[]; missing: string[] }> {
  const rivals: Rival[] = [];
  const missing: string[] = [];
  for (const [name, start] of [['squid', startSquid], ['mitmproxy', startMitmproxy]] as const) {
    const started = start(folder, caFile);
    if (started === null) {
      missing.push(name);
      continue;
    }
    if (await waitForPort(started.proxyPort)) rivals.push({ name, ...started });
    else {
      started.process.kill();
      missing.push(`${name} (installed, but did not start)`);
    }
  }
  return { rivals, missing };
}

function startSquid(folder: string, caFile: string) {
  const program = ['/usr/sbin/squid'].find((path) => existsSync(path));
  const certificates = ['/usr/lib/squid/security_file_certgen'].find((path) => existsSync(path));
  if (program === undefined || certificates === undefined) return null;
  const home = join(folder, 'squid');
  mkdirSync(home);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=bench', '-addext', 'basicConstraints=critical,CA:TRUE',
    '-keyout', join(home, 'ca.pem'), '-out', join(home, 'ca.crt')], { stdio: 'ignore' });
  execFileSync('sh', ['-c', `cat ${join(home, 'ca.crt')} >> ${join(home, 'ca.pem')}`]);
  execFileSync(certificates, ['-c', '-s', join(home, 'leaves'), '-M', '4MB'], { stdio: 'ignore' });
  execFileSync('chmod', ['-R', 'a+rwX', folder]);
  writeFileSync(join(home, 'hosts'), '127.0.0.1 localhost\n');
  const config = join(home, 'squid.conf');
  writeFileSync(config, [
    `http_port 127.0.0.1:${squidPort} ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=4MB tls-cert=${join(home, 'ca.pem')}`,
    `sslcrtd_program ${certificates} -s ${join(home, 'leaves')} -M 4MB`, 'sslcrtd_children 1',
    'ssl_bump bump all', `tls_outgoing_options cafile=${caFile}`, 'http_access allow all', 'cache deny all', 'access_log none', 'cache_log /dev/null',
    `pid_filename ${join(home, 'squid.pid')}`, 'shutdown_lifetime 0 seconds', 'via off', 'forwarded_for delete', 'workers 1', 'netdb_filename none', `hosts_file ${join(home, 'hosts')}`, '',
  ].join('\n'));
  return { proxyPort: squidPort, process: spawn(program, ['-N', '-f', config], { stdio: 'ignore' }) };
}

function startMitmproxy(folder: string, caFile: string) {
  const program = '/usr/bin/mitmdump';
  if (!existsSync(program)) return null;
  const options = ['stream_large_bodies=64k', `ssl_verify_upstream_trusted_ca=${caFile}`, 'http2=false', 'flow_detail=0', `confdir=${join(folder, 'mitm')}`];
  return {
    proxyPort: mitmproxyPort,
    process: spawn(program, ['--quiet', '--listen-host', '127.0.0.1', '--listen-port', String(mitmproxyPort), ...options.flatMap((option) => ['--set', option])], { stdio: 'ignore' }),
  };
}

const squidPort = 31_281;
const mitmproxyPort = 31_282;

/** Whether something listens there within ten seconds. */
export async function waitForPort(port: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)).once('close', () => socket.destroy());
      socket.once('connect', () => socket.end());
    });
    if (isOpen) return true;
    await wait(100);
  }
  return false;
}
