import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';
import { judgeEngine, type EngineFacts } from '../../src/doctor/judge-engine.ts';

type Check = Finding['check'];

/** What Podman 4.3.1 on Debian 12 says of itself: its runtimes are those it would know, whether they are there or not. */
const podman: Parameters<typeof judge>[0] = {
  podmanVersion: '4.3.1', version: { ApiVersion: '1.41' },
  info: {
    ServerVersion: '4.3.1', Driver: 'overlay', DockerRootDir: '/var/lib/containers/storage', DefaultRuntime: 'crun',
    Runtimes: Object.fromEntries(['crun', 'kata', 'krun', 'runc', 'runj', 'runsc'].map((name) => [name, {}])),
  },
};

/** What Docker 20.10 on Debian 12 says of itself, cut to what is read. */
const debian: EngineFacts = {
  info: {
    ServerVersion: '20.10.24+dfsg1', OSType: 'linux', Driver: 'overlay2', DockerRootDir: '/var/lib/docker', CgroupDriver: 'cgroupfs', CgroupVersion: '1', DefaultRuntime: 'runc',
    MemoryLimit: true, SwapLimit: true, CpuCfsQuota: true, PidsLimit: true, SecurityOptions: ['name=seccomp,profile=default'],
    Runtimes: { 'io.containerd.runc.v2': {}, 'io.containerd.runtime.v1.linux': {}, runc: {} },
  },
  version: { ApiVersion: '1.41' },
  podmanVersion: null, problem: null, swapBytes: 0, freeBytes: 80 * 2 ** 30, mayRegister: true,
};

function judge(change: { podmanVersion?: string; problem?: EngineFacts['problem']; info?: EngineFacts['info']; version?: EngineFacts['version']; swapBytes?: number; freeBytes?: number | null; mayRegister?: boolean }): Map<Check, Finding> {
  const { info, version, ...rest } = change;
  const findings = judgeEngine({ ...debian, ...rest, info: { ...debian.info, ...info }, version: { ...debian.version, ...version } });
  return new Map(findings.map((finding) => [finding.check, finding]));
}

test('an engine as Decoy wants it', () => {
  expect([...judge({}).values()]).toEqual([
    { check: 'engine', status: 'ok', detail: 'Docker 20.10.24+dfsg1, API 1.41' },
    { check: 'caps', status: 'ok', detail: 'cgroup v1, driver cgroupfs: memory, cpus and pids can be capped' },
    { check: 'confinement', status: 'ok', detail: 'seccomp (default)' },
    { check: 'storage', status: 'ok', detail: 'overlay2, images and disks in /var/lib/docker, 80 GiB free' },
    { check: 'runtimes', status: 'ok', detail: 'runc, by default runc; `runtime: runsc` is fetched and registered when it is asked for' },
  ]);
});

test('Podman is told nothing of a file that it does not have', () => {
  const findings = judge(podman);
  expect(findings.get('runtimes')).toEqual({
    check: 'runtimes', status: 'ok',
    detail: 'by default crun, which Podman uses whatever `runtime` is: none but the default can be asked for',
  });
  for (const change of [podman, { ...podman, mayRegister: false }, { ...podman, info: { ...podman.info, Runtimes: {}, CgroupDriver: 'none', SecurityOptions: null } }]) {
    expect(JSON.stringify([...judge(change).values()])).not.toMatch(/daemon\.json|systemctl reload docker|registered/);
  }
});

test('cgroup v2 with AppArmor', () => {
  const findings = judge({ info: { ServerVersion: '28.5.2', CgroupVersion: '2', CgroupDriver: 'systemd', SecurityOptions: ['name=apparmor', 'name=seccomp,profile=builtin', 'name=cgroupns'] } });
  expect(findings.get('caps')).toMatchObject({ status: 'ok', detail: 'cgroup v2, driver systemd: memory, cpus and pids can be capped' });
  expect(findings.get('confinement')).toMatchObject({ status: 'ok', detail: 'seccomp (builtin), apparmor' });
});

describe('no run goes', () => {
  test.each<[string, Parameters<typeof judge>[0], Check, Partial<Finding>]>([
    ['an old engine', { version: { ApiVersion: '1.40' } }, 'engine', { remedy: 'install Docker 20.10 or newer' }],
    ['one that does not tell its version', { version: { ApiVersion: undefined as never } }, 'engine', { detail: 'Docker 20.10.24+dfsg1, API unknown; its API is older than 1.41' }],
    ['Windows containers', { info: { OSType: 'windows' } }, 'engine', { remedy: 'switch it to Linux containers' }],
    ['no pids controller', { info: { PidsLimit: false } }, 'caps', { detail: 'cgroup v1, driver cgroupfs: the engine cannot cap pids' }],
    ['no memory and cpu controllers', { info: { MemoryLimit: false, CpuCfsQuota: false } }, 'caps', { detail: 'cgroup v1, driver cgroupfs: the engine cannot cap memory, cpus' }],
    ['swap that is not accounted for', { info: { SwapLimit: false }, swapBytes: 2 ** 30 }, 'caps', { remedy: 'boot with swapaccount=1, or turn swap off' }],
    ['a rootless engine without delegation', { info: { CgroupDriver: 'none', CgroupVersion: '2' } }, 'caps', { detail: 'cgroup v2, driver none: nothing can be capped' }],
    ['one that is rootless', { problem: { detail: 'it is rootless', remedy: 'use another' } }, 'engine', { detail: 'Docker 20.10.24+dfsg1, API 1.41; it is rootless', remedy: 'use another' }],
    ['seccomp turned off', { info: { SecurityOptions: ['name=seccomp,profile=unconfined'] } }, 'confinement', { detail: 'seccomp (unconfined); containers have no seccomp filter' }],
    ['no seccomp', { info: { SecurityOptions: null } }, 'confinement', { detail: 'no seccomp; containers have no seccomp filter' }],
  ])('%s', (_, change, check, expected) => {
    expect(judge(change).get(check)).toMatchObject({ status: 'failed', remedy: expect.any(String), ...expected });
  });
});

describe('runs may go', () => {
  test.each<[string, Parameters<typeof judge>[0], Check, Partial<Finding>]>([
    ['a driver that shows no directory', { info: { Driver: 'btrfs' } }, 'storage', { status: 'limited', detail: expect.stringContaining('; with this driver only `image: runner` can be capped') }],
    ['Podman', { podmanVersion: '5.8.6', info: { ServerVersion: '5.8.6' } }, 'engine', { status: 'limited', detail: 'Podman 5.8.6, API 1.41; Podman, which was tried less than Docker' }],
    ['Podman, which on cgroup v2 says it cannot cap cpus, and does', { podmanVersion: '5.8.6', info: { CgroupVersion: '2', CgroupDriver: 'systemd', CpuCfsQuota: false } }, 'caps', { status: 'ok' }],
    ['Podman with its overlay', { podmanVersion: '5.8.6', info: { Driver: 'overlay' } }, 'storage', { status: 'ok' }],
    ['Podman with another driver', { podmanVersion: '5.8.6', info: { Driver: 'vfs' } }, 'storage', { status: 'limited', remedy: expect.stringContaining('storage.conf') }],
    ['Podman, which lists a gVisor it may not have', { podmanVersion: '5.8.6', info: { Runtimes: { crun: {}, runsc: {} }, DefaultRuntime: 'crun' } }, 'runtimes', { status: 'ok', detail: expect.stringMatching(/^by default crun/) }],
    ['remapped users', { info: { SecurityOptions: ['name=seccomp,profile=builtin', 'name=userns'] } }, 'confinement', { status: 'limited' }],
    ['swap that is not accounted for, without swap', { info: { SwapLimit: false } }, 'caps', { status: 'ok' }],
    ['little space', { freeBytes: 2 ** 30 }, 'storage', { status: 'limited', remedy: 'free space, or set `storage` to what can be spared' }],
    ['space that cannot be seen', { freeBytes: null }, 'storage', { status: 'unknown' }],
    ['no gVisor, and no way to register it', { mayRegister: false }, 'runtimes', { status: 'ok', detail: 'runc, by default runc; `runtime: runsc` can be used once it is registered, which this user may not do' }],
    ['gVisor', { info: { Runtimes: { runc: {}, runsc: { runtimeArgs: ['--network=host'] } } } }, 'runtimes', { status: 'ok', detail: 'runc, runsc, by default runc' }],
    ['gVisor with a network of its own', { info: { Runtimes: { runc: {}, runsc: {} } } }, 'runtimes', { status: 'limited', detail: expect.stringContaining('`--network=host` is missing'), remedy: expect.stringContaining('["--network=host",') }],
    ['another runtime by default', { info: { DefaultRuntime: 'kata' } }, 'runtimes', { status: 'limited' }],
  ])('%s', (_, change, check, expected) => {
    expect(judge(change).get(check)).toMatchObject(expected);
  });
});
