import fs from 'node:fs';

/** Programs that hold the reading end of a pipe to keep what comes out of it: `$(decoy run …)`. */
const SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'mksh', 'fish', 'busybox', 'pwsh']);
const FARTHEST_ANCESTOR = 16;

/**
 * Whether what is written to a descriptor goes straight to the program that had this process started, as a step's output goes
 * to GitHub's runner, and not into a file, a pipeline (`| tee log`) or a shell's variable, where it would stay and the sandbox might
 * read it. False also where that cannot be told.
 */
export function isReadByStarter(descriptor: number): boolean {
  try {
    const stat = fs.fstatSync(descriptor);
    // Shells make pipelines of pipes, never of sockets; Node gives its children sockets.
    if (stat.isSocket()) return true;
    if (stat.isCharacterDevice()) return fs.readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('/dev/pts/');
    return stat.isFIFO() && ancestors().some((pid) => !SHELLS.has(nameOf(pid)) && readsPipe(pid, stat.ino));
  } catch {
    return false;
  }
}

function ancestors(): number[] {
  const pids: number[] = [];
  for (let pid = process.ppid; pid > 0 && pids.length < FARTHEST_ANCESTOR; pid = parentOf(pid)) pids.push(pid);
  return pids;
}

/** Field 4 of /proc/PID/stat (proc(5)); the name before it may hold spaces and parentheses. */
function parentOf(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function nameOf(pid: number): string {
  return fs.readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
}

function readsPipe(pid: number, inode: number): boolean {
  return descriptorsOf(pid).some((name) => {
    try {
      if (fs.readlinkSync(`/proc/${pid}/fd/${name}`) !== `pipe:[${inode}]`) return false;
      const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/${pid}/fdinfo/${name}`, 'latin1'))?.[1] ?? '';
      // The last two bits are the way it was opened (fcntl.h): 0 is O_RDONLY.
      return flags !== '' && parseInt(flags, 8) % 4 === 0;
    } catch {
      return false;
    }
  });
}

function descriptorsOf(pid: number): string[] {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}
