import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureRunsc } from '../integration/support/gvisor.ts';
import { onHost } from '../integration/support/on-host.ts';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { openHost, type EscapeHost } from './open-host.ts';

// Scored by what was obtained: a technique that fails with the wrong error, or succeeds and obtains nothing of the host's, has obtained nothing.
type Technique = { area: string; name: string; prize: string };
type Outcome = 'nothing' | 'OBTAINED';

const caps = { memoryMebibytes: 256, storageMebibytes: 64, pids: 100 };
const listed = JSON.parse(execFileSync('python3', [path.join(import.meta.dirname, 'techniques/battery.py'), 'list'], { encoding: 'utf8' })) as Technique[];
const sandboxes = ['runner', 'root'].flatMap((user) => ['runc', 'runsc'].map((runtime) => ({ user, runtime, column: `${user === 'root' ? 'root' : 'uid 1001'}, ${runtime}` })));
const gentle = [...new Set(listed.map(({ area }) => area))].filter((area) => area !== 'exhaustion');

let host: EscapeHost;
/** what the control obtained */
let shown: ReadonlySet<string> = new Set();
const outcomes = new Map<string, Map<string, Outcome>>();
beforeAll(async () => {
  await ensureRunsc();
  host = await openHost(caps);
}, 1_500_000);
afterAll(() => host[Symbol.asyncDispose]());

test('there are techniques enough, each with a name of its own', () => {
  expect(listed.length).toBeGreaterThanOrEqual(60);
  expect(new Set(listed.map(({ name }) => name)).size).toBe(listed.length);
});

test('without protection at least sixty of them obtain what they are after, in every area', async () => {
  const { readOnly } = host.targets;
  const { stdout, stderr } = await onHost(['unshare', '--mount', 'sh', '-c', `mount --bind ${readOnly} ${readOnly} && mount -o remount,ro,bind ${readOnly}; ${script([...gentle, 'exhaustion'], new Set())}`], { cwd: host.targets.workspace });
  const obtained = scored(stdout);
  expect(obtained.size, stderr).toBeGreaterThan(0);
  shown = new Set(obtained.keys());
  process.stdout.write(`without protection: ${shown.size} of ${listed.length} obtained something\n`);
  expect(shown.size).toBeGreaterThanOrEqual(60);
  for (const area of [...gentle, 'exhaustion']) expect(listed.filter((each) => each.area === area && shown.has(each.name)), area).not.toEqual([]);
}, 300_000);

describe.each(sandboxes)('$column', ({ user, runtime, column }) => {
  test('nothing is obtained', async () => {
    const obtained = new Set<string>();
    const tried = new Set<string>();
    // A technique that ends the sandbox has obtained nothing; those after it are tried in another one.
    for (const areas of [gentle, ['exhaustion']]) {
      for (const names = listed.filter(({ area }) => areas.includes(area)).map(({ name }) => name); names.some((name) => !tried.has(name));) {
        const before = tried.size;
        const end = await runDecoy([
          '--quiet', '--user', user, '--runtime', runtime, '--memory', `${caps.memoryMebibytes}m`, '--storage', `${caps.storageMebibytes}m`, '--pids', `${caps.pids}`, '--', 'sh', '-c', script(areas, tried),
        ], { cwd: host.targets.workspace });
        for (const [, name] of end.stdout.matchAll(/^\{"trying": "(.*)"\}$/gm)) tried.add(name as string);
        for (const name of scored(end.stdout).keys()) obtained.add(name);
        // As the kernel counted it; some pages it charges by force, above any cap.
        expect(end.report!.usage.memoryPeakBytes).toBeLessThan((caps.memoryMebibytes + 1) * 2 ** 20);
        if (tried.size === before) throw new Error(`the sandbox tried nothing: ${end.stdout}${end.stderr}`);
      }
    }
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

function script(areas: readonly string[], skipped: ReadonlySet<string>): string {
  const { workspace } = host.targets;
  return areas.map((area) => `/usr/bin/python3 ${workspace}/techniques/battery.py ${area} '${JSON.stringify(host.targets)}' ${[...skipped].join(' ')}`).join('; ');
}

/** By what the techniques brought, and by what happened on the host. */
function scored(stdout: string): Map<string, string> {
  const results = [...stdout.matchAll(/^\{"tried": .*\}$/gm)].map(([line]) => JSON.parse(line) as { tried: string; obtained: string | null });
  const brought = results.flatMap(({ tried, obtained }): [string, string][] => {
    const { prize } = listed.find(({ name }) => name === tried) as Technique;
    const needsToken = /^token of|^the token|^content of a host file|^a key of/.test(prize);
    return obtained === null || (needsToken && !obtained.includes(host.token)) ? [] : [[tried, obtained]];
  });
  return new Map([...brought, ...host.takeEffects().map((name): [string, string] => [name, 'seen on the host'])]);
}
