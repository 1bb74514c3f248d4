import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { runDecoy } from './support/run-decoy.ts';
import { busybox, directory, file, goProgram, openTestImage, type TestImage } from './support/test-image.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

const programs = ['sh', 'id', 'env', 'pwd', 'ls', 'cat', 'echo', 'touch', 'stat', 'grep', 'true', 'sleep', 'readlink'];
const passwd = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\nrunner:x:77:77::/:/bin/sh\n';
let workspace: Workspace;
let image: TestImage;
beforeAll(async () => {
  workspace = await openWorkspace();
  image = openTestImage({
    entries: [
      ...busybox(...programs), directory('tmp', { mode: 0o1777 }), directory('srv/app', { mode: 0o2775, uid: 77, gid: 77 }), directory('home', { mode: 0o711 }), file('home/runner/old', 'x'),
      file('etc/passwd', passwd), file('etc/group', 'root:x:0:\ndocker:x:999:decoy-runner\nwheel:x:10:runner'), file('etc/hosts', '10.9.8.7 elsewhere\n'), file('etc/kept', 'kept\n'),
      file('etc/gitconfig', '[user]\n\tname = image'),
    ],
    changes: [
      'ENTRYPOINT ["/bin/busybox", "echo", "entrypoint"]', 'CMD ["and-command"]', 'USER nobody', 'WORKDIR /srv/app', 'LABEL decoy.run=0123456789ab', 'EXPOSE 80',
      'HEALTHCHECK --interval=1s CMD touch /tmp/healthy', 'ENV PATH=/opt/none:/bin GODEBUG=gctrace=1 HOME=/elsewhere KEPT="a b" HTTP_PROXY=',
    ],
  });
});
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await image[Symbol.asyncDispose]();
});

const inImage = (args: readonly string[], options: { env?: Record<string, string> } = {}) => runDecoy(['--quiet', '--image', image.reference, ...args], { cwd: workspace.path, ...options });

test('what was asked for runs, as the user and in the place that were asked for, with the image\'s variables under Decoy\'s', async () => {
  const script = 'id; pwd; env | grep -v _proxy; cat /etc/passwd /etc/group /etc/hosts /etc/resolv.conf /etc/kept /etc/gitconfig; ls -a /home/runner; touch /home/runner/new; ls -ld /srv/app /tmp /home; sleep 2; ls /tmp';
  const end = await inImage(['--env', 'MINE=yes', '--', 'sh', '-c', script]);
  expect(end, end.stderr).toMatchObject({ exitCode: 0, report: { image: image.reference, imageDigest: image.id } });
  const uid = process.getuid!() === 0 ? 1001 : process.getuid!();
  expect(end.stdout).toMatch(new RegExp(`^uid=${uid}\\(decoy-runner\\) gid=${uid}\\(decoy-runner\\) groups=${uid}\\(decoy-runner\\)\n${workspace.path}\n`));
  for (const variable of ['PATH=/opt/none:/bin', 'KEPT=a b', 'HOME=/home/runner', 'MINE=yes', 'USER=decoy-runner', 'SSL_CERT_FILE=/decoy/bundle.pem']) expect(end.stdout.split('\n')).toContain(variable);
  expect(end.stdout).toContain(`${passwd}decoy-runner:x:${uid}:${uid}::/home/runner:/bin/sh\nroot:x:0:\ndocker:x:999:decoy-runner\nwheel:x:10:runner\ndecoy-runner:x:${uid}:\n127.0.0.1\tlocalhost\n`);
  expect(end.stdout).toContain('nameserver 127.0.0.1\noptions timeout:5 attempts:2\nkept\n[user]\n\tname = image\n[safe]\n\tdirectory = *\n.\n..\n');
  expect(end.stdout).toMatch(/^drwxrwsr-x .* runner +77 .* \/srv\/app$/m);
  expect(end.stdout).toMatch(/^drwxrwxrwt .* \/tmp$/m);
  expect(end.stdout).toMatch(/^drwx--x--x .* \/home$/m);
  for (const never of ['entrypoint', 'elsewhere', 'healthy']) expect(end.stdout).not.toContain(never);
  // Decoy's init is a Go program, too: the image's settings of Go's runtime would have it print.
  expect(end.stderr).toBe('');
}, 60_000);

test('the control: a plain container of it runs the entry point and the health check, as its own user', async () => {
  expect((await docker(['run', '--rm', '--network', 'none', image.reference])).stdout).toBe('entrypoint and-command\n');
  expect((await docker(['run', '--rm', '--network', 'none', '--entrypoint', 'sh', image.reference, '-c', 'id -u; pwd; env | grep GODEBUG; sleep 3; ls /tmp'])).stdout).toBe('65534\n/srv/app\nGODEBUG=gctrace=1\nhealthy\n');
}, 60_000);

test('as root it is root with the image\'s own files, and without a workspace it starts where the image says', async () => {
  const end = await inImage(['--workspace', 'none', '--user', 'root', '--', 'sh', '-c', 'id; pwd; echo $HOME; echo x > /etc/kept; cat /etc/kept; echo x > /etc/hosts']);
  expect(end.stdout).toBe('uid=0(root) gid=0(root) groups=0(root)\n/srv/app\n/root\nx\n');
  expect(end.stderr).toContain('/etc/hosts: Read-only file system');
  expect(end.exitCode).toBe(1);
}, 60_000);

test('the host\'s own tools are out of sight', async () => {
  const end = await inImage(['--', 'sh', '-c', 'ls / /usr; ls /usr/bin/env /usr/bin/git /bin/bash /opt /lib; echo over']);
  expect(end.stdout).toBe('/:\nbin\ndecoy\ndev\netc\nhome\nproc\nroot\nrun\nsrv\nsys\ntmp\nvar\nover\n');
  expect(end.stderr.match(/No such file or directory/g)?.length).toBe(6);
}, 60_000);

test('a script is run by what the image has: no bash, so sh; nothing, so a clear refusal; a command needs no shell', async () => {
  const script = path.join(workspace.path, 'script');
  writeFileSync(script, 'echo "run by $(readlink /proc/$$/exe)"\n');
  expect(await inImage(['--script', script])).toMatchObject({ exitCode: 0, stdout: 'run by /bin/busybox\n' });
  const bash = await inImage(['--shell', 'bash', '--script', script]);
  expect(bash).toMatchObject({ exitCode: 125, report: { conclusion: 'error', error: expect.stringContaining(`the image "${image.reference}" has no "bash" in its PATH`) } });

  await using bare = openTestImage({ entries: [await goProgram('fetch.go', 'fetch')] });
  const refused = await runDecoy(['--quiet', '--image', bare.reference, '--script', script], { cwd: workspace.path });
  expect(refused.report!.error).toBe(`the image "${bare.reference}" has no "bash" nor "sh" in its PATH to run a script with: use an image that has, name another \`shell\`, or on the command line give a command after \`--\`, which needs none`);
  const ran = await runDecoy(['--quiet', '--image', bare.reference, '--', '/fetch', 'https://nowhere.example/'], { cwd: workspace.path });
  expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('lookup nowhere.example on 127.0.0.1:53') });
}, 120_000);

test('the workspace is copy-on-write, and its changes come out as a patch', async () => {
  const end = await inImage(['--', 'sh', '-c', 'echo changed > new-file; cat new-file']);
  expect(end).toMatchObject({ exitCode: 0, stdout: 'changed\n', report: { changes: { files: 1, insertions: 1 } } });
  expect(end.patch).toContain('+changed');
  expect(existsSync(path.join(workspace.path, 'new-file'))).toBe(false);
  expect(await inImage(['--workspace', 'write', '--', 'sh', '-c', 'echo changed > written'])).toMatchObject({ exitCode: 0, report: { changes: { written: true } } });
  expect(readFileSync(path.join(workspace.path, 'written'), 'utf8')).toBe('changed\n');
  const readOnly = await inImage(['--workspace', 'read-only', '--', 'sh', '-c', 'ls probes > /tmp/x; touch new-file']);
  expect(readOnly).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('Read-only file system') });
}, 60_000);
