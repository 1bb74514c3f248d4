import { expect, test } from 'vitest';
import { obeyedCommands, obeyedInAnyOrder } from './runner-commands.ts';
import { startRunner } from './run-action.ts';

const ATTACKS = [
  '::set-output name=conclusion::success', '::set-env name=LD_PRELOAD::/tmp/x.so', '::add-path::/tmp/evil', '::add-mask::success', '::error::forged',
  '  ::warning file=a.ts::forged', '##[set-env name=A;]b', 'text before ##[add-path]/tmp/evil', '##[error]forged', '::stop-commands::mine', '::mine::',
  '::decoy-000000000000000000000000000000000000000000000000::', '::save-state name=a::b', '::add-matcher::/tmp/m.json', '::echo::on', '::debug::x',
  '::internal-set-repo-path repoFullName=o/r;workspaceRepo=true::/', '\r::error::after a carriage return',
  '::endgroup::', '::group::Decoy: result: success', '##[endgroup]', '##[group]Decoy: result: success',
];
/** What goes before the command, the command's own silence, the result. */
const OUTLINE = ['group', 'endgroup', 'add-mask', 'stop-commands', 'group', 'add-mask', 'stop-commands', 'endgroup'];

test.each([
  { end: 'a whole line', last: '' },
  { end: 'the middle of a line on stdout', last: 'printf "no line break"' },
  { end: 'the middle of a line on stderr', last: 'printf "no line break" >&2' },
  { end: 'half a command', last: 'printf "::error::"' },
  { end: 'half a character', last: "printf '\\303'" },
])('no workflow command in the output of either pipe is obeyed, whatever the order; the output ends in $end', async ({ last }) => {
  await using runner = startRunner();
  const shout = ATTACKS.flatMap((attack) => ['', ' >&2'].map((to) => `printf '%s\\n' ${quoted(attack)}${to}`));
  const { steps, outputs } = await runner.use({ run: [...shout, last].join('\n') });

  const run = steps['run'];
  expect(run?.stdout).toContain('::set-env name=LD_PRELOAD::/tmp/x.so');
  expect(obeyedCommands(run?.stdout ?? '').commands.map(({ name }) => name)).toEqual(OUTLINE);
  const obeyed = obeyedInAnyOrder({ stdout: run?.stdout ?? '', stderr: run?.stderr ?? '' });
  expect(obeyed.filter(({ name }) => name === 'group').map(({ data }) => data)).toEqual(['Decoy: prepare', expect.stringMatching(/^Decoy: result: success, exit 0 after /)]);
  expect(new Set(obeyed.map(({ name }) => name))).toEqual(new Set(OUTLINE));
  // The runner writes its own groups and errors into the log like this.
  expect(run?.stdout).not.toContain('##[');
  expect(obeyedCommands(run?.stdout ?? '').stillStopped).toBe(false);
  expect(outputs['conclusion']).toBe('success');
}, 60_000);

test('hosts and paths of the sandbox\'s choosing are no commands in the summary, the annotations or the outputs', async () => {
  await using runner = startRunner();
  const { steps } = await runner.use({
    run: [
      'for path in "/::error::x" "/##[error]x" "/%0A::error::x"; do curl --silent --max-time 5 "http://blocked.example.com$path" || true; done',
      'printf "GET /##[add-path]/tmp HTTP/1.1\\r\\nHost: ##[error]x\\r\\n\\r\\n" | timeout 5 bash -c "exec 3<>/dev/tcp/blocked.example.com/80; cat >&3; cat <&3" || true',
      'exit 3',
    ].join('\n'),
    'fail-on-blocked': 'true',
  });
  const run = steps['run'];
  const others = obeyedInAnyOrder({ stdout: run?.stdout ?? '', stderr: run?.stderr ?? '' }).filter(({ name }) => !OUTLINE.includes(name));
  // One for the name that was looked up or each request that was blocked, then one for the end.
  expect(new Set(others.slice(0, -1).map(({ name }) => name))).toEqual(new Set(['warning']));
  expect(others.at(-1)).toMatchObject({ name: 'error', data: expect.stringMatching(/^(?:failure|blocked) \(exit code 3\): /) as string });
  expect(others.length).toBeLessThanOrEqual(11);
  expect(run?.stdout).toMatch(/^Decoy: blocked /m);
}, 60_000);

test('the silence is a must: the same output without it would be obeyed', () => {
  expect(obeyedCommands(ATTACKS.slice(0, 9).join('\n')).commands).toHaveLength(9);
});

function quoted(text: string): string {
  return `$'${text.replaceAll('\r', '\\r')}'`;
}
