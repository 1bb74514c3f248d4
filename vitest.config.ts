import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // The engine, not the processor, is what many of these wait for; two runs at a time is what two cores bear.
    maxWorkers: 2,
  },
});
