import { describe, expect, test } from 'vitest';
import type { ChangedEntry } from '../../src/workspace/changed-entry.ts';
import { judgeEntries } from '../../src/workspace/judge-entries.ts';

const file = (path: string): ChangedEntry => ({ path, kind: 'file', executable: false, content: Buffer.from('x') });
const link = (path: string, target: string): ChangedEntry => ({ path, kind: 'link', target: Buffer.from(target) });
const removed = (path: string): ChangedEntry => ({ path, kind: 'removed' });

describe('refused', () => {
  test.each<[string, ChangedEntry[], string[]]>([
    ['an absolute path', [file('/etc/x')], ['`/etc/x` is no path within the workspace']],
    ['a climbing path', [file('a/../../x')], ['`a/../../x` is no path within the workspace']],
    ['the workspace itself', [file('')], ['`` is no path within the workspace']],
    ['an empty step', [removed('a//b')], ['`a//b` is no path within the workspace']],
    ["git's own", [file('.git/hooks/post-checkout')], ["`.git/hooks/post-checkout` is git's own"]],
    ["git's own, of a clone within", [removed('vendor/lib/.GIT/config')], ["`vendor/lib/.GIT/config` is git's own"]],
    ['a workflow', [file('.github/workflows/ci.yml')], ['`.github/workflows/ci.yml` would run in workflows with the rights of their jobs']],
    ['a workflow that goes', [removed('.github/workflows/ci.yml')], ['`.github/workflows/ci.yml` would run in workflows with the rights of their jobs']],
    ['in other letters', [file('.GitHub/Workflows/ci.yml')], ['`.GitHub/Workflows/ci.yml` would run in workflows with the rights of their jobs']],
    ['the program of a local action', [file('.github/actions/x/index.js')], ['`.github/actions/x/index.js` would run in workflows with the rights of their jobs']],
    ['an action anywhere', [file('tools/action.yaml')], ['`tools/action.yaml` would run in workflows with the rights of their jobs']],
    ['a link in the place of workflows', [link('.github', 'other')], ['`.github` would run in workflows with the rights of their jobs']],
    ['an absolute link', [link('a', '/etc/passwd')], ['the symbolic link `a` leads out of the workspace, to `/etc/passwd`']],
    ['a climbing link', [link('a', '../x')], ['the symbolic link `a` leads out of the workspace, to `../x`']],
    ['a climbing link deeper down', [link('a/b/c', '../../../x')], ['the symbolic link `a/b/c` leads out of the workspace, to `../../../x`']],
    ['a link that climbs from where another leads', [link('a/k', '.'), link('a/l', 'k/../..')], ['the symbolic link `a/l` leads out of the workspace, to `k/../..`']],
    ['a workflow of a checkout further down', [file('main/.github/workflows/ci.yml')], ['`main/.github/workflows/ci.yml` would run in workflows with the rights of their jobs']],
    ['a link in the place of workflows further down', [link('main/.github/workflows', 'x')], ['`main/.github/workflows` would run in workflows with the rights of their jobs']],
    ["a link to git's own", [link('a', '.git/hooks')], ['the symbolic link `a` leads to what git or GitHub executes, `.git/hooks`']],
    ['a link to workflows', [link('main/wf', '../.GitHub/workflows')], ['the symbolic link `main/wf` leads to what git or GitHub executes, `../.GitHub/workflows`']],
    ["Decoy's own directory", [file('.decoy-changes-0123456789ab/2/x')], ['`.decoy-changes-0123456789ab/2/x` has a name that Decoy takes for itself']],
    ['all that is wrong at once', [link('a', '/x'), file('.git')], ['the symbolic link `a` leads out of the workspace, to `/x`', "`.git` is git's own"]],
  ])('%s', (_, entries, faults) => {
    expect(judgeEntries(entries)).toEqual(faults);
  });
});

test.each<[string, ChangedEntry]>([
  ['a file', file('a/b')],
  ['names git looks at, but executes nothing of', file('.gitignore')],
  ['a name that begins like git', file('.github/dependabot.yml')],
  ['a directory called like an action', file('action.yml.d/x')],
  ['a file called HEAD', file('docs/HEAD')],
  ['a link to a neighbour', link('a/b', 'c')],
  ['a link to the top', link('a/b', '..')],
  ['a link across', link('a/b/c', '../../d/e')],
  ['a name of bytes that are no UTF-8', file('a\xff\xfe')],
])('let through: %s', (_, entry) => {
  expect(judgeEntries([entry])).toEqual([]);
});
