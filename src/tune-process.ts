import { PerformanceObserver } from 'node:perf_hooks';
import v8 from 'node:v8';
import type { RunEvents } from './run.ts';

/**
 * Once the command starts, this process collects its garbage at once and not in steps (docs/decisions/0020): the buffers that traffic is read into
 * start a collection every 64 MB, and doing that in steps, beside the program, costs a third of all the proxy does. The space for new objects is kept
 * small from then on, too. Only for a process that is Decoy's own, and not before the start is over: after a change of flags V8 refuses the
 * compiled code that comes with Node's own modules.
 */
export function tuneOnceStarted<Events extends Pick<RunEvents, 'onStage'>>(events: Events): Events {
  return {
    ...events,
    onStage(text, part) {
      if (part === 'command') {
        collectAtOnce();
        capYoungGeneration();
      }
      events.onStage(text, part);
    },
  };
}

export function collectAtOnce(): void {
  v8.setFlagsFromString('--no-incremental-marking');
}

/**
 * Keeps V8's space for new objects, both halves of it, at 8 MiB. It doubles that space, up to 32 MiB, each time as many bytes have outlived a collection, which is what
 * a thousand streams that stay open make it do, though they allocate nothing any more; and gives none of it back.
 */
export function capYoungGeneration(): void {
  const observer = new PerformanceObserver(() => {
    const young = v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (young === undefined || young.space_size < mostBytes) return;
    observer.disconnect();
    // Read each time it would grow; --max-semi-space-size is read at the start only, and not every way to start Decoy lets an option be given to Node.
    v8.setFlagsFromString('--semi-space-growth-factor=1');
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** As much as it has where 32 small requests are under way at once all the time (bench/README.md). */
const mostBytes = 8 << 20;
