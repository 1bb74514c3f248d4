import fs from 'node:fs/promises';
import os from 'node:os';
import type { Host } from '../config.ts';
import { rootPrefix } from '../runtime/replace-as-root.ts';
import { readSwapBytes } from '../sandbox/dropped-caps.ts';
import { connectEngine, type Engine } from '../sandbox/engine.ts';
import { findProblem } from '../sandbox/refuse-engine.ts';
import { guestFile } from '../sandbox/guest-file.ts';
import { examineRuntime } from './examine-runtime.ts';
import type { Finding } from './finding.ts';
import { judgeEngine, type EngineFacts } from './judge-engine.ts';
import { judgeMachine } from './judge-machine.ts';
import { tryRun } from './try-run.ts';

/** `runtime`: one that is looked at besides the engine's default one, or null. */
export type ExamineOptions = { signal: AbortSignal; runtime: string | null };

/** Looks at everything a run needs, and then tries one; never throws for what it finds. */
export async function examine(host: Host, { signal, runtime }: ExamineOptions): Promise<Finding[]> {
  const machine = judgeMachine({
    nodeVersion: process.version, platform: process.platform, arch: process.arch,
    hasGuest: await exists(guestFile(host.distDirectory)),
    cpus: os.cpus().length, memoryBytes: os.totalmem(), problems: host.problems ?? [], warnings: host.warnings ?? [],
  });
  const engine = await connectEngine({ dockerHost: host.dockerHost }).catch((error: Error) => error);
  if (engine instanceof Error) {
    const notTried = (check: 'trial' | 'runtime'): Finding => ({ check, status: 'unknown', detail: 'not tried, for want of an engine' });
    return [...machine, { check: 'engine', status: 'failed', detail: engine.message }, notTried('trial'), ...(runtime === null ? [] : [notTried('runtime')])];
  }
  const described = await describeEngine(engine).catch((error: Error): Finding[] => [{ check: 'engine', status: 'unknown', detail: `it does not describe itself: ${error.message}` }]);
  const trial = await tryRun(host, { signal });
  return [...machine, ...described, trial, ...(runtime === null ? [] : [await examineRuntime(engine, { name: runtime, host, signal })])];
}

async function describeEngine(engine: Engine): Promise<Finding[]> {
  const { docker, podmanVersion } = engine;
  const [info, version, swapBytes, problem] = await Promise.all([docker.info(), docker.version(), readSwapBytes(), findProblem(engine)]) as [EngineFacts['info'], EngineFacts['version'], number, EngineFacts['problem']];
  return judgeEngine({ info, version, podmanVersion, problem, swapBytes, freeBytes: await freeBytes(info.DockerRootDir), mayRegister: await rootPrefix() !== null });
}

async function freeBytes(directory: string | undefined): Promise<number | null> {
  const stats = directory === undefined ? null : await fs.statfs(directory).catch(() => null);
  return stats === null ? null : stats.bavail * stats.bsize;
}

async function exists(file: string): Promise<boolean> {
  return await fs.access(file).then(() => true, () => false);
}
