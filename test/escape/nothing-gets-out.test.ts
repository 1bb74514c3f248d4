import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureRunsc } from '../integration/support/gvisor.ts';
import { openHost, type EscapeHost } from './open-host.ts';
import { areasOf, CAPS, listTechniques, tryInSandboxes, tryOnHost } from './try-techniques.ts';

type Outcome = 'nothing' | 'OBTAINED';

const listed = listTechniques();
const sandboxes = ['runner', 'root'].flatMap((user) => ['runc', 'runsc'].map((runtime) => ({ user, runtime, column: `${user === 'root' ? 'root' : 'uid 1001'}, ${runtime}` })));

let host: EscapeHost;
/** what the control obtained */
let shown: ReadonlySet<string> = new Set();
const outcomes = new Map<string, Map<string, Outcome>>();
beforeAll(async () => {
  await ensureRunsc();
  host = await openHost(CAPS);
}, 1_500_000);
afterAll(() => host[Symbol.asyncDispose]());

test('there are techniques enough, each with a name of its own', () => {
  expect(listed.length).toBeGreaterThanOrEqual(60);
  expect(new Set(listed.map(({ name }) => name)).size).toBe(listed.length);
});

test('without protection at least sixty of them obtain what they are after, in every area', async () => {
  const { obtained, stderr } = await tryOnHost(host, listed);
  expect(obtained.size, stderr).toBeGreaterThan(0);
  shown = obtained;
  process.stdout.write(`without protection: ${shown.size} of ${listed.length} obtained something\n`);
  expect(shown.size).toBeGreaterThanOrEqual(60);
  for (const area of areasOf(listed)) expect(listed.filter((each) => each.area === area && shown.has(each.name)), area).not.toEqual([]);
  // The kernel asks the same of both.
  expect(shown.has('memory-of-a-host-process')).toBe(shown.has('trace-of-a-host-process'));
}, 300_000);

describe.each(sandboxes)('$column', ({ user, runtime, column }) => {
  test('nothing is obtained', async () => {
    const { obtained, tried, memoryPeakBytes } = await tryInSandboxes(host, listed, { args: ['--user', user, '--runtime', runtime] });
    // As the kernel counted it; some pages it charges by force, above any cap.
    expect(memoryPeakBytes).toBeLessThan((CAPS.memoryMebibytes + 1) * 2 ** 20);
    outcomes.set(column, new Map(listed.map(({ name }) => [name, obtained.has(name) ? 'OBTAINED' : 'nothing'])));
    process.stdout.write(`${column}: ${obtained.size} of ${tried.size} techniques obtained something ${[...obtained].join(' ')}\n`);
    expect([...obtained]).toEqual([]);
  }, 300_000);
});

test('the page has what was found', () => {
  const page = path.resolve(import.meta.dirname, '../../docs/escape-battery.md');
  const text = readFileSync(page, 'utf8');
  const writes = process.env['DECOY_WRITE_PAGES'] === '1';
  // What a machine gives without protection differs: what was written down is that of one.
  const control = (name: string) => (writes ? (shown.has(name) ? 'obtained' : 'not shown') : new RegExp(`\\| \`${name}\` \\|.*\\| ([a-z ]+) \\|$`, 'm').exec(text)?.[1]);
  const rows = listed.map(({ area, name, prize }) => `| ${area} | \`${name}\` | ${prize} | ${sandboxes.map(({ column }) => outcomes.get(column)?.get(name) ?? 'not tried').join(' | ')} | ${control(name)} |`);
  const table = [`| area | technique | what counts | ${sandboxes.map(({ column }) => column).join(' | ')} | without protection |`, '|---|---|---|---|---|---|---|---|', ...rows].join('\n');
  const written = text.replace(/(<!-- results -->\n)[^]*(\n<!-- end -->)/, (_, start: string, end: string) => start + table + end);
  if (writes) writeFileSync(page, written);
  else expect(text).toBe(written);
});
