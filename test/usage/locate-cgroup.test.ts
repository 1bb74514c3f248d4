import { expect, test } from 'vitest';
import { locateCgroup } from '../../src/usage/locate-cgroup.ts';

const id = 'f2aebd6ab2b4ceecf9c2dfbde101b353710802086ca1db7a741130e9964ca183';
const v2Mount = '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot';
const v1Mounts = [
  '31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755',
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct',
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:6 - cgroup cgroup rw,memory',
  '39 31 0:36 / /sys/fs/cgroup/pids rw,relatime shared:7 - cgroup cgroup rw,pids',
  '40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime shared:8 - cgroup cgroup rw,xattr,name=systemd',
].join('\n');
const v1Of = (path: string): string => `12:pids:${path}\n9:memory:${path}\n4:cpu,cpuacct:${path}\n1:name=systemd:${path}\n`;
const v2At = (path: string) => ({ cpu: { version: 2, path }, memory: { version: 2, path }, pids: { version: 2, path } });
const v1At = (path: string) => ({
  cpu: { version: 1, acctPath: `/sys/fs/cgroup/cpu,cpuacct${path}`, cpuPath: `/sys/fs/cgroup/cpu,cpuacct${path}` },
  memory: { version: 1, path: `/sys/fs/cgroup/memory${path}` },
  pids: { version: 1, path: `/sys/fs/cgroup/pids${path}` },
});

test.each([
  { case: 'v2, systemd driver', cgroup: `0::/system.slice/docker-${id}.scope\n`, mountinfo: v2Mount, found: v2At(`/sys/fs/cgroup/system.slice/docker-${id}.scope`) },
  { case: 'v2, cgroupfs driver', cgroup: `0::/docker/${id}\n`, mountinfo: v2Mount, found: v2At(`/sys/fs/cgroup/docker/${id}`) },
  { case: 'v2, rootless engine', cgroup: `0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${id}.scope\n`, mountinfo: v2Mount, found: v2At(`/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${id}.scope`) },
  { case: 'v2, an init system inside moved itself down', cgroup: `0::/system.slice/docker-${id}.scope/init.scope\n`, mountinfo: v2Mount, found: v2At(`/sys/fs/cgroup/system.slice/docker-${id}.scope`) },
  { case: 'v2, Podman by systemd', cgroup: `0::/machine.slice/libpod-${id}.scope/container\n`, mountinfo: v2Mount, found: v2At(`/sys/fs/cgroup/machine.slice/libpod-${id}.scope`) },
  { case: 'v1, Podman with cgroupfs', cgroup: v1Of(`/libpod_parent/libpod-${id}`), mountinfo: v1Mounts, found: v1At(`/libpod_parent/libpod-${id}`) },
  { case: 'v1, cgroupfs driver', cgroup: v1Of(`/docker/${id}`), mountinfo: v1Mounts, found: v1At(`/docker/${id}`) },
  { case: 'v1, systemd driver', cgroup: v1Of(`/system.slice/docker-${id}.scope`), mountinfo: v1Mounts, found: v1At(`/system.slice/docker-${id}.scope`) },
  { case: 'hybrid: v2 without controllers', cgroup: `${v1Of(`/docker/${id}`)}0::/docker/${id}\n`, mountinfo: `${v1Mounts}\n${v2Mount.replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified')}`, found: v1At(`/docker/${id}`) },
  {
    case: 'hybrid: memory has moved to v2',
    cgroup: `${v1Of(`/docker/${id}`).replace(/9:memory.*\n/, '')}0::/docker/${id}\n`,
    mountinfo: `${v1Mounts}\n${v2Mount.replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified')}`,
    found: { ...v1At(`/docker/${id}`), memory: { version: 2, path: `/sys/fs/cgroup/unified/docker/${id}` } },
  },
  { case: 'v2 in a cgroup namespace, container below ours', cgroup: `0::/docker/${id}\n`, mountinfo: v2Mount, found: v2At(`/sys/fs/cgroup/docker/${id}`) },
  { case: 'v2 in a cgroup namespace, container beside ours', cgroup: `0::/../${id}\n`, mountinfo: v2Mount, found: null },
  { case: "v2 in a cgroup namespace, the host's tree mounted", cgroup: `0::/../${id}\n`, mountinfo: v2Mount.replace(' / ', ' /.. '), found: v2At(`/sys/fs/cgroup/${id}`) },
  { case: "v2 in a cgroup namespace, the host's tree mounted two levels up", cgroup: `0::/../${id}\n`, mountinfo: v2Mount.replace(' / ', ' /../.. '), found: null },
  { case: 'v1 in a container, only its own tree mounted', cgroup: v1Of(`/docker/${id}`), mountinfo: v1Mounts.replaceAll(/ \/ (?=\S+ rw)/g, ' /docker/other '), found: null },
  { case: 'v1 in a container that mounts a parent of both', cgroup: v1Of(`/docker/${id}`), mountinfo: v1Mounts.replaceAll(/ \/ (?=\S+ rw)/g, ' /docker '), found: v1At(`/${id}`) },
  { case: 'the process is of another container', cgroup: `0::/docker/${'0'.repeat(64)}\n`, mountinfo: v2Mount, found: null },
  { case: 'the process is of no container', cgroup: '0::/init.scope\n', mountinfo: v2Mount, found: null },
  { case: 'a look-alike below another container', cgroup: `0::/docker/x${id}\n`, mountinfo: v2Mount, found: null },
  { case: 'a mount point with a space', cgroup: `0::/docker/${id}\n`, mountinfo: v2Mount.replace('/sys/fs/cgroup', '/mnt/c\\040g'), found: v2At(`/mnt/c g/docker/${id}`) },
  { case: 'no cgroup mounted', cgroup: `0::/docker/${id}\n`, mountinfo: '23 1 8:1 / / rw - ext4 /dev/sda1 rw', found: null },
  { case: 'nothing at all', cgroup: '', mountinfo: '', found: null },
])('$case', ({ cgroup, mountinfo, found }) => {
  expect(locateCgroup({ cgroup, mountinfo }, id)).toEqual(found);
});

test('without a container ID the cgroup is the one the process is in', () => {
  expect(locateCgroup({ cgroup: '0::/a/b\n', mountinfo: v2Mount }, null)).toEqual(v2At('/sys/fs/cgroup/a/b'));
});
