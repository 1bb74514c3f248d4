import { expect, test } from 'vitest';
import type { Command } from '../../src/config.ts';
import { findRealValues } from '../../src/inputs/find-real-values.ts';

const value = 'sk-live/0123+äBCDEF';
const secrets = [
  { name: 'KEY', hosts: [], hostTexts: [], value },
  { name: 'OTHER', hosts: [], hostTexts: [], value: 'other-value-0123' },
];
const script = (text: string): Command => ({ kind: 'script', text, shell: ['bash', '{0}'] });
const nothing: Command = { kind: 'argv', argv: ['true'] };

test.each<[string, { env?: Record<string, string>; command?: Command }, string[]]>([
  ['nothing of the kind', { env: { A: 'sk-live' }, command: script('curl -H "Authorization: Bearer $KEY"') }, []],
  ['a variable', { env: { OOPS: value } }, ['env: `OOPS` holds the real value of secret `KEY`, which the code must not have: leave it out, as `KEY` is there by its own name with a placeholder']],
  ['a variable with more around it', { env: { U: `https://u:${encodeURIComponent(value)}@x/` } }, [expect.stringMatching(/^env: `U` holds the real value of secret `KEY`/)]],
  ['base64 in a variable', { env: { AUTH: Buffer.from(`u:${value}`).toString('base64') } }, [expect.stringMatching(/^env: `AUTH` holds/)]],
  ['an argument that the shell put it into', { command: { kind: 'argv', argv: ['sh', '-c', `echo ${value}`] } },
    ["run: an argument of the command holds the real value of secret `KEY`, which the code must not have: let the code read `$KEY` itself, as in `-- sh -c '… \"$KEY\" …'`, in single quotes"]],
  ['a script that the workflow put it into', { command: script(`export KEY=${value}`) },
    ['run: the script holds the real value of secret `KEY`, which the code must not have: write `$KEY` in it, a variable that holds a placeholder']],
  ['two secrets', { env: { A: `${value} other-value-0123` } }, [expect.stringContaining('secret `KEY`'), expect.stringContaining('secret `OTHER`')]],
  ['one in two arguments, told once', { command: { kind: 'argv', argv: [value, value] } }, [expect.any(String)]],
])('%s', (_, { env = {}, command = nothing }, problems) => {
  const found = findRealValues({ env, command }, secrets);
  expect(found).toEqual(problems);
  expect(found.join()).not.toContain(value);
});
