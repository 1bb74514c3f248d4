import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // Many of these start containers, fill disks and hit limits on purpose; side by side on two cores they time out.
    fileParallelism: false,
  },
});
