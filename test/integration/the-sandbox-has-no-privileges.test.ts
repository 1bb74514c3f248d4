import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { docker, openGuestImage, type GuestImage, type Ran } from './guest-image.ts';
import { inPlainContainer } from './support/plain-container.ts';
import { runDecoy, startDecoy, type DecoyEnd } from './support/run-decoy.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I8, I10
const python = '/usr/bin/python3';
/** Gives a program to root with the set-user-ID bit and starts it as somebody else. */
const setuid = 'cp /usr/bin/id /tmp/id-of-root && chmod 4755 /tmp/id-of-root && setpriv --reuid=1001 --regid=1001 --clear-groups /tmp/id-of-root -u';
const devices = ['fd', 'full', 'mqueue', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'tty', 'urandom', 'zero'];

let workspace: Workspace;
let image: GuestImage;
let control: Ran;
beforeAll(async () => {
  workspace = await openWorkspace();
  image = openGuestImage();
  control = await inPlainContainer(image, {
    docker: ['--cap-add', 'SYS_ADMIN', '--cap-add', 'SYS_PTRACE', '--cap-add', 'MKNOD', '--cap-add', 'NET_RAW', '--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined', '--device', '/dev/loop-control'],
    argv: ['/bin/sh', '-c', `sleep 0 & ${python} /etc/probes/privileges.py; ${setuid}`],
  });
}, 60_000);
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await image[Symbol.asyncDispose]();
}, 60_000);

test('the probe finds privileges where there are some', () => {
  const worked = workedIn(control.stdout);
  expect(worked).toEqual(expect.arrayContaining([
    'ptrace-pid-1', 'read-memory-of-pid-1', 'read-environment-of-pid-1', 'resolve-descriptors-of-pid-1', 'user-namespace', 'mount', 'device-node', 'raw-socket', 'engine-files', 'chroot-directory',
  ]));
  expect(control.stdout).not.toMatch(/CapEff:\t0+$/m);
  expect(control.stdout).toMatch(/Seccomp:\t0/);
  expect(control.stdout).toMatch(/^0$/m);
});

describe('as runner', () => {
  let end: DecoyEnd;
  beforeAll(async () => { end = await runDecoy(['--quiet', '--', python, 'probes/privileges.py'], { cwd: workspace.path }); }, 60_000);

  test('nothing of it works', () => expect(workedIn(end.stdout)).toEqual([]));
  test('the kernel says so: no capabilities, no way to new ones, system calls filtered, a user without groups', () => {
    expect(end.stdout).toMatch(/^Uid:\t([1-9]\d*)\t\1\t\1\t\1$/m);
    expect(end.stdout).toMatch(/^Groups:\t([1-9]\d*)? *$/m);
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(end.stdout).toContain(`${name}:\t0000000000000000`);
    expect(end.stdout).toMatch(/NoNewPrivs:\t1/);
    expect(end.stdout).toMatch(/Seccomp:\t2/);
  });
  test('no devices but the harmless ones', () => expect(devicesIn(end.stdout)).toEqual(devices));
});

describe('as root', () => {
  let end: DecoyEnd;
  beforeAll(async () => {
    end = await runDecoy(['--quiet', '--user', 'root', '--', 'sh', '-c', `${python} probes/privileges.py; echo "EFFECTIVE $(${setuid})"`], { cwd: workspace.path });
  }, 60_000);

  test('it is root of the sandbox alone', () => expect(workedIn(end.stdout)).toEqual([]));
  test('a program of root\'s with the set-user-ID bit stays its caller\'s', () => expect(end.stdout).toContain('EFFECTIVE 1001'));
  test('it has the capabilities package managers need and no others', () => {
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5, SETGID 6, SETUID 7, SYS_CHROOT 18, SETFCAP 31 (capability.h)
    const mask = [0, 1, 3, 4, 5, 6, 7, 18, 31].reduce((sum, bit) => sum + 2 ** bit, 0).toString(16).padStart(16, '0');
    expect(end.stdout).toContain(`CapBnd:\t${mask}`);
    expect(end.stdout).toMatch(/NoNewPrivs:\t1/);
    expect(end.stdout).toMatch(/Seccomp:\t2/);
  });
  test('no devices but the harmless ones', () => expect(devicesIn(end.stdout)).toEqual(devices));
});

test('the engine runs all three containers without a network of their own, and none is privileged', async () => {
  const running = startDecoy(['--quiet', '--', 'sh', '-c', 'echo ready; sleep 30'], { cwd: workspace.path });
  await running.printed('ready');
  const ids = (await docker(['ps', '-q', '--filter', `label=decoy.pid=${running.pid}`])).stdout.split('\n').filter(Boolean);
  const containers = JSON.parse((await docker(['inspect', ...ids])).stdout) as {
    Name: string; State: { Pid: number }; HostConfig: Record<string, unknown>; Mounts: { Source: string }[];
  }[];
  const networks = new Map(containers.map(({ Name, State }) => [Name.replace(/.*-/, ''), {
    namespace: fs.readlinkSync(`/proc/${State.Pid}/ns/net`),
    routes: fs.readFileSync(`/proc/${State.Pid}/net/route`, 'utf8').trim().split('\n').slice(1),
    interfaces: [...fs.readFileSync(`/proc/${State.Pid}/net/dev`, 'utf8').matchAll(/^ *(\w+):/gm)].map(([, name]) => name),
  }]));
  running.kill('SIGTERM');
  await running.ended;
  expect(containers.map(({ Name }) => Name.replace(/.*-/, '')).sort()).toEqual(['gateway', 'keeper', 'sandbox']);
  const gateway = ids[containers.findIndex(({ Name }) => Name.endsWith('gateway'))] as string;
  for (const { Name, HostConfig, Mounts } of containers) {
    if (Name.endsWith('sandbox')) expect(HostConfig['NetworkMode']).toMatch(new RegExp(`^container:${gateway}`));
    expect(HostConfig).toMatchObject({ Privileged: false, CapDrop: ['ALL'], PidMode: '', UTSMode: '' });
    expect(String(HostConfig['SecurityOpt'])).toMatch(/no-new-privileges[:=]true/);
    expect(Mounts.filter(({ Source }) => /docker\.sock|^\/(var\/run|run|proc|sys|dev|root|home)?$/.test(Source))).toEqual([]);
  }
  expect(networks.get('sandbox')?.namespace).toBe(networks.get('gateway')?.namespace);
  expect(new Set([fs.readlinkSync('/proc/self/ns/net'), networks.get('gateway')?.namespace, networks.get('keeper')?.namespace]).size).toBe(3);
  for (const { routes, interfaces } of networks.values()) expect({ routes, interfaces }).toEqual({ routes: [], interfaces: ['lo'] });
}, 60_000);

function workedIn(stdout: string): string[] {
  return [...stdout.matchAll(/^worked (.*)$/gm)].map(([, name]) => name as string);
}

function devicesIn(stdout: string): string[] {
  return (/^devices (.*)$/m.exec(stdout)?.[1] ?? '').split(' ');
}
