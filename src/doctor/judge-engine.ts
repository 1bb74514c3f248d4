import { nameRuntimes } from '../runtime/list-runtimes.ts';
import { CORRECT_ARGUMENTS, findHarmfulArguments } from '../runtime/runsc-arguments.ts';
import { renderBytes } from '../report/quantities.ts';
import type { EngineProblem } from '../sandbox/refuse-engine.ts';
import { combine, type Finding } from './finding.ts';
import { DEFAULT_CAPS } from './judge-machine.ts';

/** What Decoy reads of the engine's description (Docker Engine API, SystemInfo and SystemVersion). */
export type EngineFacts = {
  info: {
    ServerVersion?: string; OSType?: string; Driver?: string; DockerRootDir?: string; CgroupDriver?: string; CgroupVersion?: string; DefaultRuntime?: string;
    MemoryLimit?: boolean; SwapLimit?: boolean; CpuCfsQuota?: boolean; PidsLimit?: boolean;
    SecurityOptions?: readonly string[] | null;
    Runtimes?: Readonly<Record<string, { runtimeArgs?: readonly string[] | null }>> | null;
  };
  version: { ApiVersion?: string };
  /** null for Docker */
  podmanVersion: string | null;
  /** why no run goes on it, where that is so */
  problem: EngineProblem | null;
  /** swap space of the machine */
  swapBytes: number;
  /** free on the file system of DockerRootDir; null where that cannot be seen from here */
  freeBytes: number | null;
  /** whether this user may change the engine's configuration: is root, or may become it */
  mayRegister: boolean;
};

type Wrong = Pick<Finding, 'status' | 'detail' | 'remedy'>;

/** Docker 20.10, the first that gives a container a cgroup namespace of its own. */
const LEAST_API = [1, 41] as const;

/** Judges the engine by what it says of itself: what it says may still not hold, which the trial shows. */
export function judgeEngine(facts: EngineFacts): Finding[] {
  return [judgeVersion(facts), judgeCaps(facts), judgeConfinement(facts), judgeStorage(facts), judgeRuntimes(facts)];
}

function judgeVersion({ info, version, podmanVersion, problem }: EngineFacts): Finding {
  const wrong: Wrong[] = [];
  if (info.OSType !== undefined && info.OSType !== 'linux') wrong.push({ status: 'failed', detail: `it runs containers of ${info.OSType}`, remedy: 'switch it to Linux containers' });
  if (isOlder(version.ApiVersion)) wrong.push({ status: 'failed', detail: `its API is older than ${LEAST_API.join('.')}`, remedy: 'install Docker 20.10 or newer' });
  if (problem !== null) wrong.push({ status: 'failed', ...problem });
  else if (podmanVersion !== null) wrong.push({ status: 'limited', detail: 'Podman, which was tried less than Docker', remedy: 'see docs/runners.md for what differs, and whether the trial succeeds' });
  return combine('engine', `${podmanVersion === null ? 'Docker' : 'Podman'} ${info.ServerVersion ?? 'of unknown version'}, API ${version.ApiVersion ?? 'unknown'}`, wrong);
}

function isOlder(apiVersion = '0'): boolean {
  const [major = 0, minor = 0] = apiVersion.split('.').map(Number);
  return major < LEAST_API[0] || (major === LEAST_API[0] && minor < LEAST_API[1]);
}

function judgeCaps({ info, swapBytes, podmanVersion }: EngineFacts): Finding {
  // What Podman 5.8.6 says there of cpus is of cgroup v1; the cap does hold (docs/tested-machines.md).
  const saysNothing = podmanVersion !== null && info.CgroupVersion === '2';
  const missing = [
    ...(info.MemoryLimit === false ? ['memory'] : []),
    ...(info.SwapLimit === false && swapBytes > 0 ? ['swap'] : []),
    ...(info.CpuCfsQuota === false && !saysNothing ? ['cpus'] : []),
    ...(info.PidsLimit === false ? ['pids'] : []),
  ];
  const detail = `cgroup v${info.CgroupVersion ?? '1'}, driver ${info.CgroupDriver ?? 'unknown'}`;
  if (info.CgroupDriver === 'none') {
    return { check: 'caps', status: 'failed', detail: `${detail}: nothing can be capped`, remedy: 'delegate the cgroup controllers to the user of the rootless engine (systemd, cgroup v2)' };
  }
  if (missing.length === 0) return { check: 'caps', status: 'ok', detail: `${detail}: memory, cpus and pids can be capped` };
  return {
    check: 'caps', status: 'failed', detail: `${detail}: the engine cannot cap ${missing.join(', ')}`,
    remedy: missing.join() === 'swap' ? 'boot with swapaccount=1, or turn swap off' : 'enable these cgroup controllers in the kernel, or delegate them to the user of a rootless engine',
  };
}

function judgeConfinement({ info }: EngineFacts): Finding {
  const given = options(info);
  const profile = (info.SecurityOptions ?? []).find((option) => option.startsWith('name=seccomp'))?.match(/profile=([^,]+)/)?.[1];
  const others = ['apparmor', 'selinux'].filter((name) => given.includes(name));
  const wrong: Wrong[] = [];
  if (!given.includes('seccomp') || profile === 'unconfined') {
    wrong.push({ status: 'failed', detail: 'containers have no seccomp filter', remedy: 'remove seccomp-profile from the configuration of the engine, or install an engine and kernel with seccomp' });
  }
  if (given.includes('userns')) wrong.push({ status: 'limited', detail: 'user namespaces are remapped, with which Decoy was never tried', remedy: 'see whether the trial succeeds' });
  return combine('confinement', [given.includes('seccomp') ? `seccomp (${profile ?? 'builtin'})` : 'no seccomp', ...others].join(', '), wrong);
}

/** Names of the security options: `name=seccomp,profile=default` is `seccomp`. */
function options({ SecurityOptions }: EngineFacts['info']): string[] {
  return (SecurityOptions ?? []).map((option) => /^(?:name=)?([^,]+)/.exec(option)?.[1] ?? option);
}

function judgeStorage({ info, freeBytes, podmanVersion }: EngineFacts): Finding {
  const directory = info.DockerRootDir ?? 'its directory';
  const driver = info.Driver ?? 'unknown driver';
  const detail = `${driver}, images and disks in ${directory}`;
  if (freeBytes === null) return { check: 'storage', status: 'unknown', detail: `${detail}, which cannot be seen from here: the engine may be on another file system, which the trial shows` };
  const free = `${detail}, ${renderBytes(freeBytes)} free`;
  const forImages = podmanVersion === null ? CAPPABLE_DRIVERS.includes(driver) : driver === 'overlay';
  if (freeBytes >= DEFAULT_CAPS.storageBytes && forImages) return { check: 'storage', status: 'ok', detail: free };
  if (freeBytes >= DEFAULT_CAPS.storageBytes) {
    return { check: 'storage', status: 'limited', detail: `${free}; with this driver only \`image: runner\` can be capped`, remedy: podmanVersion === null ? 'for other images use an engine with overlay2, or with the containerd image store\'s overlayfs' : 'for other images set the storage driver overlay (storage.conf)' };
  }
  return { check: 'storage', status: 'limited', detail: `${free}, less than the default cap of ${renderBytes(DEFAULT_CAPS.storageBytes)}: a sandbox can fill it`, remedy: 'free space, or set `storage` to what can be spared' };
}

/** Those with a directory of an image's files that views can be laid over: see docs/images.md. */
const CAPPABLE_DRIVERS = ['overlay2', 'overlayfs'];

function judgeRuntimes({ info, mayRegister, podmanVersion }: EngineFacts): Finding {
  // It lists what it knows of, installed or not, and takes none by name.
  if (podmanVersion !== null) return { check: 'runtimes', status: 'ok', detail: `by default ${info.DefaultRuntime ?? 'unknown'}, which Podman uses whatever \`runtime\` is: none but the default can be asked for` };
  const runtimes = info.Runtimes ?? {};
  const names = nameRuntimes(runtimes);
  const detail = `${names.length > 0 ? names.join(', ') : 'none named'}, by default ${info.DefaultRuntime ?? 'unknown'}`;
  const isTried = info.DefaultRuntime === undefined || ['runc', 'crun'].includes(info.DefaultRuntime);
  const ofDefault: Wrong[] = isTried ? [] : [{ status: 'limited', detail: 'with which Decoy was never tried', remedy: 'see whether the trial succeeds' }];
  const isThere = Object.hasOwn(runtimes, 'runsc');
  const harmful = isThere ? findHarmfulArguments(runtimes['runsc']?.runtimeArgs ?? []) : [];
  const ofGvisor: Wrong[] = harmful.length === 0 ? [] : [{ status: 'limited', detail: `with this \`runsc\` no run goes: ${harmful.join('; ')}`, remedy: CORRECT_ARGUMENTS }];
  return combine('runtimes', isThere ? detail : `${detail}; \`runtime: runsc\` ${mayRegister ? 'is fetched and registered when it is asked for' : 'can be used once it is registered, which this user may not do'}`, [...ofDefault, ...ofGvisor]);
}
