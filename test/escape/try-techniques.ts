import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { onHost } from '../integration/support/on-host.ts';
import { runDecoy } from '../integration/support/run-decoy.ts';
import type { EscapeHost } from './open-host.ts';

// Scored by what was obtained: a technique that fails with the wrong error, or succeeds and obtains nothing of the host's, has obtained nothing.
export type Technique = { area: string; name: string; prize: string };

/** What was tried in which order, what of it obtained something, and the most memory the kernel counted in any of the sandboxes. */
export type Tries = { tried: ReadonlySet<string>; obtained: ReadonlySet<string>; sandboxes: number; memoryPeakBytes: number };

export const CAPS = { memoryMebibytes: 256, storageMebibytes: 64, pids: 100 };

export function listTechniques(): readonly Technique[] {
  return JSON.parse(execFileSync('python3', [path.join(import.meta.dirname, 'techniques/battery.py'), 'list'], { encoding: 'utf8' })) as Technique[];
}

export function areasOf(techniques: readonly Technique[]): readonly string[] {
  return [...new Set(techniques.map(({ area }) => area))];
}

/** The control: as root of the host itself. */
export async function tryOnHost(host: EscapeHost, techniques: readonly Technique[]): Promise<{ obtained: ReadonlySet<string>; stderr: string }> {
  const { readOnly, workspace } = host.targets;
  const command = `mount --bind ${readOnly} ${readOnly} && mount -o remount,ro,bind ${readOnly}; ${script(host, areasOf(techniques), new Set())}`;
  const { stdout, stderr } = await onHost(['unshare', '--mount', 'sh', '-c', command], { cwd: workspace });
  return { obtained: new Set(scored(host, techniques, stdout).keys()), stderr };
}

/** A technique that ends the sandbox has obtained nothing; those after it are tried in another one. */
export async function tryInSandboxes(host: EscapeHost, techniques: readonly Technique[], options: { args: readonly string[]; env?: Record<string, string> }): Promise<Tries> {
  const obtained = new Set<string>();
  const tried = new Set<string>();
  let [sandboxes, memoryPeakBytes] = [0, 0];
  const gentle = areasOf(techniques).filter((area) => area !== 'exhaustion');
  for (const areas of [gentle, ['exhaustion']]) {
    const names = techniques.filter(({ area }) => areas.includes(area)).map(({ name }) => name);
    while (names.some((name) => !tried.has(name))) {
      const before = tried.size;
      const end = await runDecoy([
        '--quiet', '--memory', `${CAPS.memoryMebibytes}m`, '--storage', `${CAPS.storageMebibytes}m`, '--pids', `${CAPS.pids}`, ...options.args, '--', 'sh', '-c', script(host, areas, tried),
      ], { cwd: host.targets.workspace, env: options.env ?? {} });
      for (const [, name] of end.stdout.matchAll(/^\{"trying": "(.*)"\}$/gm)) tried.add(name as string);
      for (const name of scored(host, techniques, end.stdout).keys()) obtained.add(name);
      if (tried.size === before || end.report === null) throw new Error(`the sandbox tried nothing: ${end.stdout}${end.stderr}`);
      sandboxes += 1;
      memoryPeakBytes = Math.max(memoryPeakBytes, end.report.usage.memoryPeakBytes);
    }
  }
  return { tried, obtained, sandboxes, memoryPeakBytes };
}

function script({ targets }: EscapeHost, areas: readonly string[], skipped: ReadonlySet<string>): string {
  return areas.map((area) => `/usr/bin/python3 ${targets.workspace}/techniques/battery.py ${area} '${JSON.stringify(targets)}' ${[...skipped].join(' ')}`).join('; ');
}

/** By what the techniques brought, and by what happened on the host. */
function scored(host: EscapeHost, techniques: readonly Technique[], stdout: string): Map<string, string> {
  const results = [...stdout.matchAll(/^\{"tried": .*\}$/gm)].map(([line]) => JSON.parse(line) as { tried: string; obtained: string | null });
  const brought = results.flatMap(({ tried, obtained }): [string, string][] => {
    const { prize } = techniques.find(({ name }) => name === tried) as Technique;
    const needsToken = /^token of|^the token|^content of a host file|^a key of/.test(prize);
    return obtained === null || (needsToken && !obtained.includes(host.token)) ? [] : [[tried, obtained]];
  });
  return new Map([...brought, ...host.takeEffects().map((name): [string, string] => [name, 'seen on the host'])]);
}
