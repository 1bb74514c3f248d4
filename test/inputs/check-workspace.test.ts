import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkWorkspace } from '../../src/inputs/check-workspace.ts';

const REMEDY = 'change to the project\'s own directory, or use `none`';
let directory: string;
beforeAll(() => {
  directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'workspace-')));
  fs.mkdirSync(path.join(directory, 'home/user/project'), { recursive: true });
  fs.writeFileSync(path.join(directory, 'file'), '');
  fs.symlinkSync('home/user/project', path.join(directory, 'to-project'));
  fs.symlinkSync('/usr', path.join(directory, 'to-usr'));
});
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

const check = (workspacePath: string | null) => checkWorkspace({ workspacePath, homePath: path.join(directory, 'home/user') });

test('a project\'s directory, also in a temporary directory or a home', () => {
  const project = path.join(directory, 'home/user/project');
  expect(check(project)).toEqual({ ok: true, value: project });
  expect(check(path.join(directory, 'to-project'))).toEqual({ ok: true, value: project });
});

describe('what would show too much is refused', () => {
  test.each([
    ['/', '`/` is the whole file system, which the sandbox must not see'],
    ['/tmp', '`/tmp` is a directory of the system\'s, which the sandbox must not see as a whole'],
    ['/usr', '`/usr` is a directory of the system\'s, which the sandbox must not see as a whole'],
    ['/var/lib', '`/var/lib` holds `/var/lib/docker`, which the sandbox must not see'],
    ['/etc', '`/etc` is a directory of the system\'s, which the sandbox must not see as a whole'],
    ['/proc/self/task', /^`\/proc\/self\/task` leads to `\/proc\/\d+\/task`, which lies in `\/proc`, which the sandbox must not see/],
    ['/run', '`/run` is a directory of the system\'s, which the sandbox must not see as a whole'],
    ['/no/such/directory', '`/no/such/directory` does not exist'],
  ])('%s', (workspacePath, problem) => {
    const result = check(workspacePath);
    expect(result).toEqual({ ok: false, problem: typeof problem === 'string' ? `${problem}: ${REMEDY}` : expect.stringMatching(problem) });
  });

  test.skipIf(!fs.existsSync('/var/lib/docker/'))('the engine\'s data, and what lies in it', () => {
    const below = fs.readdirSync('/var/lib/docker', { withFileTypes: true }).find((entry) => entry.isDirectory())!.name;
    expect(check(`/var/lib/docker/${below}`)).toMatchObject({ problem: expect.stringContaining('lies in `/var/lib/docker`') });
    expect(check('/var/lib/docker')).toMatchObject({ ok: false });
  });

  test('a home, what holds one, a file, a link elsewhere, a directory that was deleted', () => {
    expect(check(path.join(directory, 'home/user'))).toMatchObject({ problem: `\`${directory}/home/user\` is a home directory, which the sandbox must not see: ${REMEDY}` });
    expect(check(path.join(directory, 'home'))).toMatchObject({ problem: `\`${directory}/home\` holds \`${directory}/home/user\`, which the sandbox must not see: ${REMEDY}` });
    expect(check(path.join(directory, 'file'))).toMatchObject({ problem: `\`${directory}/file\` is not a directory: ${REMEDY}` });
    expect(check(path.join(directory, 'file/x'))).toMatchObject({ problem: `\`${directory}/file/x\` cannot be entered (ENOTDIR): ${REMEDY}` });
    expect(check(path.join(directory, 'to-usr'))).toMatchObject({
      problem: `\`${directory}/to-usr\` leads to \`/usr\`, which is a directory of the system's, which the sandbox must not see as a whole: ${REMEDY}`,
    });
    expect(check(null)).toMatchObject({ problem: `the current directory does not exist any more: ${REMEDY}` });
  });
});
