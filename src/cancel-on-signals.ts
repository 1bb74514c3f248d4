/** The first SIGINT or SIGTERM cancels the run with that name as the reason; later ones are for what is already under way. */
export function cancelOnSignals(): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const cancel = (name: NodeJS.Signals) => controller.abort(name);
  process.on('SIGINT', cancel).on('SIGTERM', cancel);
  return {
    signal: controller.signal,
    stop: () => {
      process.off('SIGINT', cancel).off('SIGTERM', cancel);
    },
  };
}
