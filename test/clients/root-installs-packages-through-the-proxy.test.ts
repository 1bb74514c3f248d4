import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { expect, test } from 'vitest';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { openWorkspace } from '../integration/support/workspace.ts';

/** The hosts of the machine's own package sources, as rules and addresses; a closed network may serve them from private ones. */
async function options(urls: readonly string[]): Promise<string[]> {
  const hosts = [...new Set(urls.map((url) => new URL(url)).map(({ protocol, hostname }) => `${hostname}:${protocol === 'http:' ? 80 : 443}`))];
  const resolved = await Promise.all(hosts.map(async (host) => `${host}:${(await lookup(host.split(':')[0]!, 4)).address}`));
  return hosts.flatMap((host, index) => ['--allow', host, '--resolve', resolved[index]!]);
}

const print = (command: string) => execFileSync('sh', ['-c', command], { encoding: 'utf8' }).trim();
const machine = () => ({ NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'] ?? '' });

test('apt-get installs a package of the distribution, and nothing it asks for on the way is blocked', async () => {
  await using workspace = await openWorkspace();
  const name = print('. /etc/os-release; echo "$VERSION_CODENAME"');
  // The distribution's own sources alone: others of this machine may not be reachable.
  const source = print("apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages'").split('\n').map((line) => line.split(' ')).find(([, codename, component]) => codename === name && component === 'main')!;
  const script = [
    `echo 'deb ${source[0]} ${name} main' > /tmp/sources`, 'options="-o Dir::Etc::SourceList=/tmp/sources -o Dir::Etc::SourceParts=/dev/null"',
    'test ! -e /usr/games/sl', 'apt-get $options -qq update', 'apt-get $options -qq install -y --no-install-recommends sl >/dev/null', 'dpkg -s sl | grep ^Status', 'ls -l /usr/games/sl',
  ].join('\n');
  const end = await runDecoy(['--user', 'root', '--fail-on-blocked', ...await options([source[0]!]), '--', 'sh', '-euc', script], { cwd: workspace.path, env: machine() });
  expect(end, end.stderr).toMatchObject({ exitCode: 0, report: { conclusion: 'success', blocked: [] } });
  expect(end.stdout).toContain('Status: install ok installed');
  expect(print('ls /usr/games/sl 2>&1 || true')).toContain('No such file');
}, 180_000);

test("pip installs a package for the system's Python, as root", async () => {
  await using workspace = await openWorkspace();
  const python = (code: string) => print(`/usr/bin/python3 -c '${code}'`);
  const configured = print('/usr/bin/python3 -m pip config get global.index-url 2>/dev/null || true');
  const urls = configured ? [configured] : python('from pip._internal.models.index import PyPI; print(PyPI.simple_url, "https://" + PyPI.file_storage_domain)').split(' ');
  const end = await runDecoy([
    '--user', 'root', ...await options(urls), '--env', `PIP_INDEX_URL=${urls[0]}`, '--',
    'sh', '-euc', "/usr/bin/python3 -m pip install -q --break-system-packages --root-user-action=ignore iniconfig==2.0.0 && /usr/bin/python3 -c 'import iniconfig; print(iniconfig.__file__)'",
  ], { cwd: workspace.path, env: machine() });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  expect(end.stdout).toMatch(/^\/usr\/.*iniconfig/m);
}, 180_000);
