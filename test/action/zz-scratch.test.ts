import { test } from 'vitest';
import { startRunner } from './run-action.ts';
test('x', async () => {
await using runner = startRunner();
const r = await runner.use({ run: 'echo hi; echo new > added.txt; id' });
console.log(r.steps['run']?.stdout, r.steps['run']?.stderr, r.steps['report-and-clean'], r.outputs);
}, 60000);
