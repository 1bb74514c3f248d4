/** A stage of a run that has ended, well or not; stages overlap. Milliseconds since this process began. */
export type StageTiming = { stage: string; fromMs: number; toMs: number };

/** Does the work and takes its time. */
export type TimeStage = <T>(stage: string, work: () => Promise<T>) => Promise<T>;

/** `onTiming` is told of each stage at its end. */
export function timeStages(onTiming: (timing: StageTiming) => void): TimeStage {
  return async (stage, work) => {
    const fromMs = performance.now();
    try {
      return await work();
    } finally {
      onTiming({ stage, fromMs, toMs: performance.now() });
    }
  };
}
