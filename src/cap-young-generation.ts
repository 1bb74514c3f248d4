import { PerformanceObserver } from 'node:perf_hooks';
import v8 from 'node:v8';

/**
 * Keeps V8's space for new objects, both halves of it, at 8 MiB. It doubles that space, up to 32 MiB, each time as many bytes have outlived a collection, which is what
 * a thousand streams that stay open make it do, though they allocate nothing any more; and gives none of it back. For this process, so not the library's to call.
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
