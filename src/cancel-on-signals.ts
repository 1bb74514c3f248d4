import { OutputLost } from './output-lost.ts';

export type Cancellation = {
  /** aborted with the name of the signal, or OutputLost */
  signal: AbortSignal;
  /** an error nobody caught: the run was cancelled for it, so that it cleans up after itself */
  crash(): Error | null;
  stop(): void;
};

/** The first SIGINT, SIGTERM or SIGHUP (taken for SIGTERM) cancels the run with that name as the reason; later ones are for what is already under way. */
export function cancelOnSignals(): Cancellation {
  const controller = new AbortController();
  let crash: Error | null = null;
  const cancel = (name: NodeJS.Signals) => controller.abort(name);
  const crashed = (error: Error) => {
    crash ??= error;
    controller.abort('SIGTERM');
  };
  const lost = (stream: 'output' | 'error') => (error: Error) => controller.abort(new OutputLost(stream, error));
  // A closed terminal: no more reader, but the same duty to leave nothing behind.
  const hungUp = () => controller.abort('SIGTERM');
  process.on('SIGINT', cancel).on('SIGTERM', cancel).on('SIGHUP', hungUp).on('uncaughtException', crashed);
  process.stdout.on('error', lost('output'));
  process.stderr.on('error', lost('error'));
  return {
    signal: controller.signal,
    crash: () => crash,
    stop: () => {
      process.off('SIGINT', cancel).off('SIGTERM', cancel).off('SIGHUP', hungUp).off('uncaughtException', crashed);
    },
  };
}
