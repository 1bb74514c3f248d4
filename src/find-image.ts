import type { Host, RunConfig } from './config.ts';
import type { RunEvents } from './run.ts';
import type { Engine } from './sandbox/engine.ts';
import { obtainImage, type ObtainedImage } from './sandbox/image/obtain-image.ts';
import type { TimeStage } from './usage/time-stages.ts';

export type FindImageOptions = { config: RunConfig; host: Host; events: RunEvents; signal: AbortSignal; timed: TimeStage };

/** The sandbox's image, pulled where the engine does not have it; null for the runner's own tools, and when the run was cancelled meanwhile. */
export async function findImage(engine: Engine, { config, host, events, signal, timed }: FindImageOptions): Promise<ObtainedImage | null> {
  const { image: reference } = config;
  if (reference === 'runner') return null;
  try {
    return await timed('image: finding or pulling', () => obtainImage(engine, {
      reference, configDirectory: host.dockerConfigDirectory, signal, onProgress: (text) => (events.onProgress ?? events.onStage)(text),
    }));
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}
