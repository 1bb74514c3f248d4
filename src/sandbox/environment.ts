import fs from 'node:fs';
import type { ExposedTree } from './exposed-trees.ts';

export type EnvironmentParts = {
  /** PATH of the runner */
  path: string;
  trees: readonly ExposedTree[];
  user: { name: string; home: string };
  /** what is passed on from the host */
  host: Readonly<Record<string, string>>;
  trust: Readonly<Record<string, string>>;
  env: Readonly<Record<string, string>>;
  /** NAME → placeholder */
  placeholders: Readonly<Record<string, string>>;
};

/** The PATH of a container that has none of its own. */
export const ALWAYS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The complete environment of the command: nothing of the host's comes in but what is named here. Later parts win. */
export function sandboxEnvironment(parts: EnvironmentParts): Record<string, string> {
  return {
    ...parts.host,
    CI: 'true',
    HOME: parts.user.home,
    USER: parts.user.name,
    LOGNAME: parts.user.name,
    SHELL: '/bin/sh',
    PATH: visiblePath(parts),
    ...parts.trust,
    ...parts.env,
    ...parts.placeholders,
  };
}

/** The runner's PATH without directories the sandbox does not have, with the system's own at the end. */
function visiblePath({ path, trees }: EnvironmentParts): string {
  const entries = path.split(':').filter((entry) => entry.startsWith('/') && isVisible(entry, trees));
  return [...new Set([...entries, ...ALWAYS])].join(':');
}

function isVisible(entry: string, trees: readonly ExposedTree[]): boolean {
  let real: string;
  try {
    real = fs.realpathSync(entry);
  } catch {
    return false;
  }
  return trees.some((tree) => (real === tree.path || real.startsWith(`${tree.path}/`)) && !tree.hidden.some((name) => `${real}/`.startsWith(`${tree.path}/${name}/`)));
}
