import fs from 'node:fs';
import { quote } from '../policy/quote.ts';

const REMEDY = 'change to the project\'s own directory, or use `none`';

/** Nothing in these may be shown: the sandbox has its own, or they hold the engine's data, which is every container's. */
const CLOSED = ['/proc', '/sys', '/dev', '/run', '/etc', '/boot', '/decoy', '/var/run', '/var/lib/docker', '/var/lib/containerd'];

/** Shown as a whole they would show what must stay hidden; a project's directory may well be below. */
const SHARED = ['/root', '/home', '/usr', '/var', '/tmp', '/opt'];

/** The real path of the workspace, if it is one directory of a project's and no home or system directory. */
export function checkWorkspace(
  { workspacePath, homePath }: { workspacePath: string | null; homePath: string },
): { ok: true; value: string } | { ok: false; problem: string } {
  if (workspacePath === null) return { ok: false, problem: `the current directory does not exist any more: ${REMEDY}` };
  let real: string;
  try {
    real = fs.realpathSync(workspacePath);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { ok: false, problem: `${quote(workspacePath)} ${code === 'ENOENT' ? 'does not exist' : `cannot be entered (${code})`}: ${REMEDY}` };
  }
  const fault = fs.statSync(real).isDirectory() ? faultOf(real, homePath) : 'is not a directory';
  if (fault === null) return { ok: true, value: real };
  const subject = real === workspacePath ? quote(real) : `${quote(workspacePath)} leads to ${quote(real)}, which`;
  return { ok: false, problem: `${subject} ${fault}: ${REMEDY}` };
}

function faultOf(directory: string, homePath: string): string | null {
  const below = (inner: string, outer: string) => inner.startsWith(outer === '/' ? outer : `${outer}/`);
  if (directory === '/') return 'is the whole file system, which the sandbox must not see';
  if (directory === homePath) return 'is a home directory, which the sandbox must not see';
  if ([...CLOSED, ...SHARED].includes(directory)) return 'is a directory of the system\'s, which the sandbox must not see as a whole';
  const around = CLOSED.find((closed) => below(directory, closed));
  if (around !== undefined) return `lies in ${quote(around)}, which the sandbox must not see`;
  const held = [homePath, ...CLOSED, ...SHARED].find((name) => below(name, directory));
  return held === undefined ? null : `holds ${quote(held)}, which the sandbox must not see`;
}
