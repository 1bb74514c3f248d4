import { renderBytes, renderCount } from '../report/quantities.ts';
import { combine, type Finding } from './finding.ts';

export type MachineFacts = {
  /** as `process.version`, `process.platform` and `process.arch` give them */
  nodeVersion: string;
  platform: string;
  arch: string;
  /** whether dist/ has the guest programs of this architecture */
  hasGuest: boolean;
  cpus: number;
  memoryBytes: number;
  /** what of Decoy's own environment cannot be used, a sentence each */
  problems: readonly string[];
  /** what of it is of no use, though a run can be tried */
  warnings: readonly string[];
};

/** What a run asks for where nothing else is said (`memory`, `cpus`). */
export const DEFAULT_CAPS = { memoryBytes: 4 * 2 ** 30, cpus: 2, storageBytes: 10 * 2 ** 30 };

/** Judges what can be known without the engine. */
export function judgeMachine(facts: MachineFacts): Finding[] {
  return [
    { check: 'node', status: 'ok', detail: `Node ${facts.nodeVersion}` },
    judgeHardware(facts),
    judgeEnvironment(facts),
  ];
}

function judgeEnvironment({ problems, warnings }: MachineFacts): Finding {
  const check = 'environment';
  if (problems.length === 0 && warnings.length === 0) return { check, status: 'ok', detail: 'nothing in it that could not be used' };
  return { check, status: problems.length > 0 ? 'failed' : 'limited', detail: [...problems, ...warnings].join('; ') };
}

function judgeHardware({ platform, arch, hasGuest, cpus, memoryBytes }: MachineFacts): Finding {
  const wrong: Pick<Finding, 'status' | 'detail' | 'remedy'>[] = [];
  if (platform !== 'linux') wrong.push({ status: 'failed', detail: 'not Linux', remedy: 'run Decoy on a Linux machine (`runs-on: ubuntu-latest`)' });
  else if (!hasGuest) wrong.push({ status: 'failed', detail: 'no guest program for this architecture in dist/', remedy: 'use an x64 or arm64 machine, and a complete checkout of Decoy' });
  if (memoryBytes < DEFAULT_CAPS.memoryBytes) wrong.push({ status: 'limited', detail: `less memory than the default cap of ${renderBytes(DEFAULT_CAPS.memoryBytes)}`, remedy: 'set `memory` to what can be spared' });
  if (cpus < DEFAULT_CAPS.cpus) wrong.push({ status: 'limited', detail: `fewer cores than the default cap of ${DEFAULT_CAPS.cpus}: runs get ${cpus}` });
  return combine('machine', `${platform} ${arch}, ${renderCount(cpus, 'core')}, ${renderBytes(memoryBytes)} of memory`, wrong);
}
