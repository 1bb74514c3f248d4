import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Ran } from '../../integration/guest-image.ts';
import { settled } from '../../integration/support/footprint.ts';

/** A Docker engine that a test may do anything to: in namespaces of its own, with directories, a cgroup and a socket of its own. */
export type OwnEngine = AsyncDisposable & {
  dockerHost: string;
  docker(...args: string[]): Promise<Ran>;
  /** to dockerd alone; its containers have processes of their own */
  signal(name: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Starts it, again. */
  start(): Promise<void>;
  /** Resolves when dockerd has ended. */
  ended(): Promise<void>;
  /** What runs left: processes, by their command lines, mounts, loop devices, containers and volumes. The engine's own programs are not told. */
  leftovers(): Promise<string[]>;
  /** command lines of what containers run */
  processes(): Promise<string[]>;
  /** Runs a program where the engine is. */
  inside(...command: string[]): Promise<Ran>;
  dataRoot: string;
};

/** `dataBytes`: the engine's directory gets a file system of this size of its own. */
export async function openOwnEngine({ dataBytes }: { dataBytes?: number } = {}): Promise<OwnEngine> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'faulty-engine-'));
  const name = path.basename(folder);
  const dataRoot = path.join(folder, 'data');
  mkdirSync(dataRoot);
  // Ends with this process's end of the pipe, and with it all that is in the namespace.
  const space = spawn(...asRoot('unshare', '--net', '--mount', '--pid', '--fork', '--mount-proc', '/usr/bin/python3', '-c', FIRST), { stdio: ['pipe', 'pipe', 'ignore'] });
  const gone = once(space, 'close');
  await once(space.stdout, 'data');
  const init = deepest(space.pid!);
  const enter = ['nsenter', '--target', String(init), '--mount', '--net', '--pid', '--'] as const;
  const [entry, entering] = asRoot(...enter);
  const inside = (...command: string[]) => run(entry, [...entering, ...command]);
  if (dataBytes !== undefined) {
    const image = path.join(folder, 'image');
    for (const command of [['truncate', '-s', String(dataBytes), image], ['mkfs.ext4', '-q', image], ['mount', '-o', 'loop', image, dataRoot]]) {
      const { code, stderr } = await inside(...command);
      if (code !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
    }
  }
  const socket = path.join(folder, 'docker.sock');
  const docker = (...args: string[]) => run('docker', ['-H', `unix://${socket}`, ...args]);
  const pidFile = path.join(folder, 'dockerd.pid');
  const processes = async () => lines((await inside('ps', '-A', '-o', 'args=')).stdout).map((line) => line.trim())
    .filter((line) => !/^(dockerd|containerd|\/usr\/bin\/containerd|\/usr\/bin\/python3 -c|nsenter|ps -A|cat \/proc|$|\[.*<defunct>)/.test(line));
  const log = path.join(folder, 'dockerd.log');
  const engine: OwnEngine = {
    dockerHost: `unix://${socket}`, docker, inside, dataRoot,
    signal: async (signal) => {
      const { code, stderr } = await inside('kill', '-s', signal.slice(3), readFileSync(pidFile, 'utf8').trim());
      if (code !== 0) throw new Error(stderr);
    },
    start: async () => {
      rmSync(pidFile, { force: true });
      const command = ['exec', 'dockerd', '--data-root', dataRoot, '--exec-root', path.join(folder, 'exec'), '--pidfile', pidFile, '-H', `unix://${socket}`,
        '--group', String(process.getgid!()), '--iptables=false', '--ip6tables=false', '--bridge=none', '--cgroup-parent', name, '>>', log, '2>&1'];
      space.stdin.write(`${command.join(' ')}\n`);
      for (let tries = 0; (await docker('version')).code !== 0; tries++) {
        if (tries > 200) throw new Error(`the second dockerd did not start: ${readFileSync(log, 'utf8').slice(-2000)}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    ended: async () => void await settled(async () => lines((await inside('ps', '-C', 'dockerd', '-o', 'pid=')).stdout), 30),
    processes,
    leftovers: async () => {
      const [running, mounts, containers, volumes] = await Promise.all([processes(), inside('cat', '/proc/self/mounts'), docker('ps', '-a', '--format', '{{.Names}}'), docker('volume', 'ls', '-q')]);
      return [
        ...running, ...lines(mounts.stdout).filter((line) => line.includes('/decoy-') || line.includes('/overlay2/')), ...lines(containers.stdout), ...lines(volumes.stdout),
        ...lines((await run(...asRoot('find', '/sys/fs/cgroup', '-mindepth', '3', '-type', 'd', '-path', `*/${name}/*`))).stdout),
      ];
    },
    [Symbol.asyncDispose]: async () => {
      spawnSync(...asRoot('kill', '-s', 'KILL', String(init)));
      await gone;
      spawnSync(...asRoot('find', '/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${name}*`, '-exec', 'rmdir', '{}', ';'));
      spawnSync(...asRoot('rm', '-rf', folder));
    },
  };
  await engine.start();
  return engine;
}

/**
 * Lets go of what the machine's own engine has mounted, which it could not remove otherwise; then starts a command for each line of its standard input, reaps
 * everything, as an engine takes one of its programs that is dead and not reaped for alive, and ends with its input.
 */
const FIRST = `
import signal, subprocess, sys
for line in open('/proc/self/mounts'):
    place = line.split(' ')[1]
    if place.startswith('/var/lib/docker/'): subprocess.call(['umount', '--lazy', place])
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print('up', flush=True)
for line in sys.stdin:
    subprocess.Popen(['sh', '-c', line], stdin=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_DFL))
`;

export function asRoot(program: string, ...args: string[]): [string, string[]] {
  return process.getuid!() === 0 ? [program, args] : ['sudo', ['-n', program, ...args]];
}

function run(program: string, args: string[]): Promise<Ran> {
  const from = performance.now();
  return new Promise((done) => {
    execFile(program, args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr, milliseconds: performance.now() - from });
    });
  });
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function children(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The last of a chain of processes that start one another. */
function deepest(pid: number): number {
  const [child] = children(pid);
  return child === undefined ? pid : deepest(child);
}
