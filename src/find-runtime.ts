import type { Host, RunConfig } from './config.ts';
import type { RunEvents } from './run.ts';
import type { Engine } from './sandbox/engine.ts';
import type { SandboxRuntime } from './sandbox/runtime.ts';
import type { TimeStage } from './usage/time-stages.ts';

export type FindRuntimeOptions = { config: RunConfig; host: Host; events: RunEvents; signal: AbortSignal; timed: TimeStage };

/** The runtime of the sandbox's container; loads nothing and asks nothing where it is the engine's default one. */
export async function findRuntime(engine: Engine, { config, host, events, signal, timed }: FindRuntimeOptions): Promise<SandboxRuntime> {
  const { runtime: asked = 'runc' } = config;
  if (asked === 'runc') return { name: null, isGvisor: false };
  const { provideRuntime } = await import('./runtime/provide-runtime.ts');
  return await timed('runtime: finding or fetching', () => provideRuntime(engine, { name: asked, host, signal, onProgress: (task) => events.onProgress?.(task, null) }));
}
