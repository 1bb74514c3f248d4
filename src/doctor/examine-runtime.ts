import type { Host } from '../config.ts';
import { findRunsc } from '../runtime/fetch-runsc.ts';
import { listRuntimes } from '../runtime/list-runtimes.ts';
import { findKnown } from '../runtime/provide-runtime.ts';
import { whereToRegister } from '../runtime/register-runtime.ts';
import { RUNSC_ARGUMENTS } from '../runtime/runsc-arguments.ts';
import type { Engine } from '../sandbox/engine.ts';
import type { Finding } from './finding.ts';
import { tryRun } from './try-run.ts';

export type ExamineRuntimeOptions = { name: string; host: Host; signal: AbortSignal };

/** Whether a run goes in this runtime: what the engine says of it, and then a run. Nothing is fetched or registered for it, so one that would have to be is not tried. */
export async function examineRuntime(engine: Engine, { name, host, signal }: ExamineRuntimeOptions): Promise<Finding> {
  try {
    if (name !== 'runc' && await findKnown(engine, name) === null) return await describeFetch(host);
    const { status, detail, remedy } = await tryRun(host, { signal, runtime: name });
    return { check: 'runtime', status, detail: `${await describeKnown(engine, name)}; ${detail}`, ...(remedy === undefined ? {} : { remedy }) };
  } catch (error) {
    return { check: 'runtime', status: 'failed', detail: (error as Error).message.replace(/^runtime: /, '') };
  }
}

async function describeKnown(engine: Engine, name: string): Promise<string> {
  if (name === 'runc') return "`runc` is the engine's default runtime, whatever that is";
  const program = (await listRuntimes(engine))[name]?.path;
  if (program) return `the engine has \`${name}\` as ${program}`;
  return `\`${name}\` is a type, for which the engine looks itself`;
}

/** The engine's `runsc` that is not there yet. */
async function describeFetch({ runsc, dockerHost }: Host): Promise<Finding> {
  const { url, cached } = await findRunsc(runsc);
  const file = await whereToRegister({ runtime: { name: 'runsc', path: cached ?? '/path/to/runsc', runtimeArgs: RUNSC_ARGUMENTS }, dockerHost });
  const source = cached === null ? `fetched from ${url}` : `taken from ${cached}, fetched from ${url} before,`;
  return {
    check: 'runtime', status: 'unknown', detail: `the engine has no \`runsc\`: it would be ${source} and registered in ${file}; neither was done here, so no container was started in it`,
    remedy: 'run `decoy run --runtime runsc -- true`, which does both, and then this again',
  };
}
