import v8 from 'node:v8';
import type { RunEvents } from './run.ts';

/**
 * Once the command starts, this process collects its garbage at once and not in steps (docs/decisions/0020): the buffers that traffic is read into
 * start a collection every 64 MB, and doing that in steps, beside the program, costs a third of all the proxy does. Only for a process that is
 * Decoy's own, and not before the start is over: after a change of flags V8 refuses the compiled code that comes with Node's own modules.
 */
export function tuneOnceStarted<Events extends Pick<RunEvents, 'onStage'>>(events: Events): Events {
  return {
    ...events,
    onStage(text, part) {
      if (part === 'command') collectAtOnce();
      events.onStage(text, part);
    },
  };
}

export function collectAtOnce(): void {
  v8.setFlagsFromString('--no-incremental-marking');
}
