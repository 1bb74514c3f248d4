/** Where a process's counters are: each controller in a cgroup v1 hierarchy of its own, or in the unified v2 one. */
export type CgroupLocation = {
  cpu: { version: 1; acctPath: string; cpuPath: string | null } | { version: 2; path: string };
  memory: { version: 1 | 2; path: string };
  pids: { version: 1 | 2; path: string };
};

/**
 * Finds the cgroup directories of a process from the text of its `/proc/PID/cgroup` and of the reader's own
 * `/proc/self/mountinfo`. Both show paths relative to the reader's cgroup namespace, so a directory outside of it, or outside
 * of what is mounted, cannot be named: null, and the caller asks the engine instead.
 *
 * `containerId`: the cgroup of the container, rather than one the process has moved itself into below it, and null where the
 * process is in no cgroup of that container. A process number alone proves little: it is reused, and where the engine is in
 * another process namespace than Decoy it is a stranger's.
 *
 * https://man7.org/linux/man-pages/man7/cgroups.7.html, https://man7.org/linux/man-pages/man7/cgroup_namespaces.7.html,
 * https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
 */
export function locateCgroup(texts: { cgroup: string; mountinfo: string }, containerId: string | null): CgroupLocation | null {
  const memberships = parseMemberships(texts.cgroup);
  const mounts = parseMounts(texts.mountinfo);

  const directory = (controller: string | null): string | null => {
    const membership = memberships.find((one) => (controller === null ? one.unified : one.controllers.includes(controller)));
    if (!membership) return null;
    const path = containerId === null ? membership.path : upToContainer(membership.path, containerId);
    if (path === null) return null;
    for (const mount of mounts) {
      if (controller === null ? !mount.unified : !mount.controllers.includes(controller)) continue;
      const below = pathBelow(mount.root, path);
      if (below !== null) return [mount.mountPoint === '/' ? '' : mount.mountPoint, ...below].join('/');
    }
    return null;
  };
  // A controller is bound to one hierarchy at a time: whatever no v1 line names can only be in the unified one.
  const either = (controller: string): { version: 1 | 2; path: string } | null => {
    const isV1 = memberships.some((one) => one.controllers.includes(controller));
    const path = directory(isV1 ? controller : null);
    return path === null ? null : { version: isV1 ? 1 : 2, path };
  };

  const cpu = either('cpuacct');
  const memory = either('memory');
  const pids = either('pids');
  if (!cpu || !memory || !pids) return null;
  return {
    cpu: cpu.version === 1 ? { version: 1, acctPath: cpu.path, cpuPath: directory('cpu') } : { version: 2, path: cpu.path },
    memory,
    pids,
  };
}

type Membership = { unified: boolean; controllers: string[]; path: string };

function parseMemberships(text: string): Membership[] {
  const memberships: Membership[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (!match) continue;
    const unified = match[1] === '0' && match[2] === '';
    memberships.push({ unified, controllers: unified ? [] : match[2]!.split(','), path: match[3]! });
  }
  return memberships;
}

type Mount = { unified: boolean; controllers: string[]; root: string; mountPoint: string };

function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [before, after] = line.split(' - ');
    const [fsType, , superOptions] = after?.split(' ') ?? [];
    if (fsType !== 'cgroup' && fsType !== 'cgroup2') continue;
    const [, , , root, mountPoint] = before!.split(' ');
    if (!root || !mountPoint) continue;
    const unified = fsType === 'cgroup2';
    mounts.push({ unified, controllers: unified ? [] : (superOptions ?? '').split(','), root: unescapeOctal(root), mountPoint: unescapeOctal(mountPoint) });
  }
  return mounts;
}

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The segments of `path` below `root`; null where it is not below it or leads out of it by `..`. */
function pathBelow(root: string, path: string): string[] | null {
  const rootSegments = segments(root);
  const pathSegments = segments(path);
  if (rootSegments.some((segment, i) => segment !== pathSegments[i])) return null;
  const below = pathSegments.slice(rootSegments.length);
  return below.includes('..') ? null : below;
}

/**
 * The path up to the directory of the container: named `ID` by Docker's cgroupfs driver, `docker-ID.scope` by its systemd
 * driver; `libpod-ID` and `libpod-ID.scope` by Podman's. The first match counts: what is below it, a root inside the sandbox may have named.
 */
function upToContainer(path: string, containerId: string): string | null {
  const all = segments(path);
  const at = all.findIndex((segment) => segment === containerId || segment === `libpod-${containerId}` || segment.endsWith(`-${containerId}.scope`));
  return at < 0 ? null : `/${all.slice(0, at + 1).join('/')}`;
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}
