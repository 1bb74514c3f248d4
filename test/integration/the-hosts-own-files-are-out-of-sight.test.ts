import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DecoyEnd } from './support/run-decoy.ts';
import { runDecoy } from './support/run-decoy.ts';
import { onHost } from './support/on-host.ts';
import { probes } from './support/workspace.ts';

// I3
const exists = path.join(probes, 'exists.sh');
const engineSocket = ['/var/run/docker.sock', '/run/docker.sock'];
const privateEtc = ['shadow', 'gshadow', 'sudoers', 'sudoers.d', 'ssh', 'docker', 'containerd', 'ssl/private', 'machine-id-of-the-host', 'profile.d', 'npmrc']
  .map((name) => `/etc/${name}`);

let home: string;
let workspace: string;
let end: DecoyEnd;
let control: string;
/** A runner installed below a directory the sandbox sees; needs the right to write there. */
let runner: string | null = null;

beforeAll(async () => {
  home = mkdtempSync(path.join(os.tmpdir(), 'integration-home-'));
  workspace = path.join(home, 'work/repository');
  for (const folder of ['.ssh', '.aws', 'work/other-repository', 'work/_temp', 'work/repository/.git', 'actions-runner']) mkdirSync(path.join(home, folder), { recursive: true });
  for (const file of ['.ssh/id_ed25519', '.aws/credentials', 'work/other-repository/source', 'work/_temp/event.json', 'actions-runner/.credentials', '.netrc', 'work/repository/source']) {
    writeFileSync(path.join(home, file), 'private');
  }
  for (const repository of repositories) {
    mkdirSync(path.join(workspace, repository), { recursive: true });
    writeFileSync(path.join(workspace, repository, 'config'), gitConfig);
  }
  runner = makeRunner();
  const temporary = runner === null ? path.join(home, 'work/_temp') : path.join(runner, '_work/_temp');
  const paths = [...everyPath(), temporary];
  const script = `sh /tmp/exists.sh "$@"; echo; echo GIT; for r in ${repositories.join(' ')}; do echo; echo "CONFIG $r"; cat $r/config; done; touch deep/er/clone/.git/writable && echo WRITABLE; git config --list 2>&1; echo; echo HOSTNAME; cat /etc/hostname; cat /etc/machine-id`;
  const probe = (await onHost(['cat', exists])).stdout;
  end = await runDecoy(
    ['--quiet', '--', 'sh', '-c', `cat > /tmp/exists.sh <<'END'\n${probe}\nEND\n${script}`, 'sh', ...paths],
    { cwd: workspace, env: { HOME: home, RUNNER_TEMP: temporary } },
  );
  control = (await onHost(['sh', exists, ...paths])).stdout;
}, 60_000);

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
  if (runner !== null) rmSync(runner, { recursive: true, force: true });
});

test('the run succeeded and sees the workspace', () => {
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  expect(end.stdout).toContain(`exists ${workspace}/source`);
});

test.each([
  ['the home directory', () => ['.ssh', '.ssh/id_ed25519', '.aws', '.aws/credentials', '.netrc'].map((name) => path.join(home, name))],
  ['what lies beside the workspace', () => ['work/other-repository', 'work/_temp', 'actions-runner/.credentials'].map((name) => path.join(home, name))],
  ['the engine', () => engineSocket.slice(0, 1)],
  ['private parts of /etc', () => ['/etc/shadow']],
  ['a runner within a directory that is shown', () => (runner === null ? [] : [`${runner}/.credentials`, runner])],
])('%s: there on the host, not in the sandbox', (_, paths) => {
  for (const file of paths()) {
    expect(control).toContain(`exists ${file}\n`);
    expect(end.stdout).not.toContain(`exists ${file}\n`);
  }
});

test('none of the places credentials lie in is there at all', () => {
  for (const file of [...engineSocket, ...privateEtc, '/run/containerd', '/var/lib/docker', '/var/lib/containerd', '/boot', '/old_root']) {
    expect(end.stdout).not.toContain(`exists ${file}\n`);
  }
  const listed = (folder: string) => [...end.stdout.matchAll(new RegExp(`^in ${folder}: (.*)$`, 'gm'))].map(([, name]) => name);
  expect(listed('/run')).toEqual(['lock']);
  expect(listed('/home')).toEqual(['runner']);
  expect(listed('/var/log')).toEqual([]);
});

test('the workspace\'s git configurations come without their credentials', () => {
  const shown = end.stdout.slice(end.stdout.indexOf('GIT'));
  expect(shown.match(/^CONFIG .*\n\[core\]$/gm)?.length).toBe(repositories.length);
  expect(shown).toContain('WRITABLE');
  // Laid over by Decoy, so no change of the command's.
  expect(end.patch).not.toContain('config');
  expect(shown).toContain('ssh://example.test/repository');
  for (const text of ['c2VjcmV0', 'extraheader', 'hunter2', 'include']) {
    expect(shown).not.toContain(text);
    expect(gitConfig).toContain(text);
  }
});

function everyPath(): string[] {
  const inHome = ['.ssh', '.ssh/id_ed25519', '.aws', '.aws/credentials', '.netrc', 'work/other-repository', 'work/_temp', 'actions-runner/.credentials', 'work/repository/source'];
  return [
    ...inHome.map((name) => path.join(home, name)), ...engineSocket, ...privateEtc, '/run', '/home', '/var/log', '/run/containerd',
    '/var/lib/docker', '/var/lib/containerd', '/boot', '/old_root', ...(runner === null ? [] : [runner, `${runner}/.credentials`]),
  ];
}

function makeRunner(): string | null {
  try {
    accessSync('/usr/local', constants.W_OK);
    const folder = mkdtempSync('/usr/local/integration-runner-');
    mkdirSync(path.join(folder, '_work/_temp'), { recursive: true });
    writeFileSync(path.join(folder, '.credentials'), 'private');
    return folder;
  } catch {
    return null;
  }
}

/** Its own, a submodule's, one in a submodule, a clone beside the sources. */
const repositories = ['.git', '.git/modules/lib', '.git/modules/group/lib/modules/inner', 'deep/er/clone/.git'];

/** As actions/checkout leaves it, and other ways to keep a credential there. */
const gitConfig = `[core]
	repositoryformatversion = 0
[remote "origin"]
	url = https://user:hunter2@example.test/repository
	pushurl = ssh://example.test/repository
[http "https://example.test/"]
	extraheader = AUTHORIZATION: basic c2VjcmV0
[include]
	path = /somewhere/credentials
`;
