import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';
import { docker } from '../guest-image.ts';

/** What of a run is on the machine: names of containers and volumes, mounts, folders of the engine, Decoy's own directories. */
export async function footprint(runId: string): Promise<string[]> {
  const [containers, volumes] = await Promise.all([
    docker(['ps', '-a', '--filter', `label=decoy.run=${runId}`, '--format', 'container {{.Names}}']),
    docker(['volume', 'ls', '--filter', `label=decoy.run=${runId}`, '--format', 'volume {{.Name}}']),
  ]);
  return [
    ...lines(containers.stdout), ...lines(volumes.stdout),
    ...mounts(runId), ...[os.tmpdir(), '/tmp', '/var/lib/docker/volumes'].flatMap((folder) => named(folder, runId)),
    ...processes(`decoy-${runId}`).map((pid) => `process ${pid}`),
  ];
}

/** Loop devices that hold a disk of Decoy's for no volume there is: those of any run count, so look again until they are gone. */
export async function orphanedLoopDevices(): Promise<string[]> {
  const attached = readdirSync('/sys/block').filter((name) => /^loop\d+$/.test(name) && backingFile(name).startsWith('/file/disk'));
  if (attached.length === 0) return [];
  const names = lines((await docker(['volume', 'ls', '-q', '--filter', 'label=decoy=1'])).stdout);
  const inspected = names.length === 0 ? '' : (await docker(['volume', 'inspect', ...names, '--format', '{{index .Options "device"}}'])).stdout;
  // A disk's volume names its device by a link in the volume of the disk's file.
  const devices = lines(inspected).map((device) => {
    try {
      return readlinkSync(device);
    } catch {
      return device;
    }
  });
  return attached.filter((name) => !devices.includes(`/dev/${name}`));
}

/** The runs that have anything on the machine now. */
export async function runIds(): Promise<Set<string>> {
  return new Set(lines((await docker(['ps', '-a', '--filter', 'label=decoy.run', '--format', '{{.Label "decoy.run"}}'])).stdout));
}

/** pids of processes whose command line has this text, as the host sees them: those in containers too. */
export function processes(text: string): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
      } catch {
        return false;
      }
    });
}

/** Looks again until `look` gives nothing, at most for `seconds`; gives what was left then. */
export async function settled<T>(look: () => Promise<T[]> | T[], seconds = 10): Promise<T[]> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const left = await look();
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function mounts(runId: string): string[] {
  // The engine may live in a mount namespace of its own.
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && comm(name) === 'dockerd') ?? 'self';
  return lines(read(`/proc/${pid}/mounts`)).filter((line) => line.includes(runId)).map((line) => `mount ${line.split(' ')[1]}`);
}

function comm(pid: string): string {
  return read(`/proc/${pid}/comm`).trim();
}

function named(folder: string, runId: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.includes(runId)).map((name) => `file ${folder}/${name}`);
  } catch {
    return [];
  }
}

function backingFile(loop: string): string {
  return read(`/sys/block/${loop}/loop/backing_file`);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
