// Runs Decoy against the engine of this machine and checks that every cap holds and that every figure is counted.
//   node checks.mjs CLI [NAME…]     CLI: path of dist/cli.js; NAME: only these checks
// Prints a line for each check; ends with 0 when all held. Nothing here depends on the engine or on the version of cgroups.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const MIB = 2 ** 20;

/** Made of programs of this machine, since there may be no registry to pull one from. */
const IMAGE = 'decoy-checks:latest';

/** What is run in the sandbox, with which options, and what the report and the output must then say; `before` is another run, which must succeed. */
const CHECKS = {
  'a short run is counted': {
    options: [], command: ['sleep', '0.2'],
    holds: ({ report }) => ({
      success: report.conclusion === 'success',
      cpu: report.usage.cpuSeconds > 0, memory: report.usage.memoryPeakBytes > 0, pids: report.usage.pidsPeak > 0,
      'wall time': report.wallSeconds >= 0.2, samples: report.samples.length > 0,
    }),
  },
  'memory and CPU time are the command’s own': {
    // tail keeps what it may have to print: 100 MiB of memory that is no page cache.
    options: ['--memory', '512m'], command: ['sh', '-c', 'head -c 100M /dev/zero | tail -c 100M >/dev/null'],
    holds: ({ report }) => ({
      success: report.conclusion === 'success', 'counted 100 MiB': report.usage.memoryPeakBytes >= 100 * MIB,
      'below the cap': report.usage.memoryPeakBytes <= 512 * MIB, 'CPU time': report.usage.cpuSeconds > 0.02,
      'user + system = total': Math.abs(report.usage.cpuUserSeconds + report.usage.cpuSystemSeconds - report.usage.cpuSeconds) < 0.05,
    }),
  },
  'twice the memory is out of memory': {
    options: ['--memory', '128m'], command: ['sh', '-c', 'head -c 256M /dev/zero | tail -c 256M >/dev/null'],
    holds: ({ report, status }) => ({
      oom: report.conclusion === 'oom', 'exit code 137': status === 137, 'kills counted': report.usage.oomKills > 0,
      'cap kept': report.usage.memoryPeakBytes <= 128 * MIB,
    }),
  },
  'the cap on processes holds': {
    options: ['--pids', '32'], command: ['sh', '-c', 'i=0; while [ $i -lt 64 ]; do sleep 60 & i=$((i+1)); done; wait'],
    holds: ({ report, status, output }) => ({ 'fork refused': /fork/i.test(output), failed: status !== 0, peak: report.usage.pidsPeak >= 30 && report.usage.pidsPeak <= 32, counted: report.usage.pidsRefused > 0 }),
  },
  'a full disk is ENOSPC': {
    options: ['--storage', '256m'], command: ['sh', '-c', 'head -c 400M /dev/zero >/tmp/big'],
    holds: ({ report, status, output }) => ({ ENOSPC: output.includes('No space left on device'), storage: report.conclusion === 'storage', failed: status !== 0 }),
  },
  'a timeout ends the run': {
    options: ['--timeout', '2s'], command: ['sleep', '120'],
    holds: ({ report, status }) => ({ timeout: report.conclusion === 'timeout', 'exit code 124': status === 124, 'ended in time': report.wallSeconds < 30 }),
  },
  'the kernel holds the caps the report names': {
    options: ['--memory', '200m', '--cpus', '0.5', '--pids', '77'], command: ['sh', '-c', [
      'cat /proc/self/cgroup', 'cd /sys/fs/cgroup',
      'if [ -e cgroup.controllers ]; then cat memory.max memory.swap.max cpu.max pids.max; else',
      'cat memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max; fi',
      'cat /proc/self/attr/current 2>/dev/null || echo "no security module"; ls -d /sys/fs/cgroup; touch /sys/fs/cgroup/x 2>&1'].join('\n')],
    holds: ({ output }) => ({
      memory: output.includes(String(200 * MIB)), cpu: output.includes('50000'), pids: /^77$/m.test(output),
      'own cgroup namespace': !/docker|system\.slice/.test(output.split('\n').filter((line) => /^\d+:/.test(line)).join()),
      'cgroups cannot be written': /Read-only file system|Permission denied/.test(output),
    }),
    show: true,
  },
  'sockets stay in the sandbox’s network': {
    // No network namespace confines AF_VSOCK, no filter sees into io_uring. The numbers here are the same on x64 and arm64, those of socket(2) perl knows.
    options: [], command: ['perl', '-e', [
      'printf "%s %d\\n", $$_[0], socket(my $s, $$_[1], 1, 0) ? 0 : $! for [INET => 2], [VSOCK => 40];',
      'printf "io_uring %d\\n", syscall(425, 1, my $parameters = "\\0" x 120) < 0 ? $! : 0;'].join('\n')],
    holds: ({ report, output }) => ({
      success: report.conclusion === 'success', 'INET opens': /^INET 0$/m.test(output),
      'VSOCK: EAFNOSUPPORT': /^VSOCK 97$/m.test(output), 'io_uring: ENOSYS': /^io_uring 38$/m.test(output),
    }),
  },
  'changes come out as a patch': {
    options: [], command: ['sh', '-c', 'echo changed >>README && echo new >added'],
    holds: ({ report, patch, workspace }) => ({
      counted: report.changes.files === 2, patch: patch.includes('+changed') && patch.includes('added'),
      'workspace as it was': fs.readFileSync(path.join(workspace, 'README'), 'utf8') === 'as it was\n',
    }),
  },
  'root in the sandbox': {
    options: ['--user', 'root'], command: ['sh', '-c', 'id -u && touch /usr/x && chown 1:1 /usr/x && ! mount -t tmpfs none /mnt 2>/dev/null'],
    holds: ({ report, output }) => ({ success: report.conclusion === 'success', 'uid 0': /^0$/m.test(output), 'host untouched': !fs.existsSync('/usr/x') }),
  },
  'changes are written to the workspace': {
    options: ['--workspace', 'write'], command: ['sh', '-c', 'echo new >written'],
    holds: ({ report, workspace }) => ({ success: report.conclusion === 'success', written: fs.readFileSync(path.join(workspace, 'written'), 'utf8') === 'new\n' }),
  },
  'an image runs, and its changes are its own': {
    options: ['--image', IMAGE, '--user', 'root'], command: ['sh', '-c', 'cat /etc/of-the-image && echo x >/etc/of-the-sandbox && id -u'],
    holds: ({ report, output }) => ({
      success: report.conclusion === 'success', 'the image is seen': output.includes('made for the checks'), 'uid 0': /^0$/m.test(output),
      digest: /(^|@)sha256:[0-9a-f]{64}$/.test(report.imageDigest), 'the disk is capped hard': report.storageEnforcement !== 'watchdog',
    }),
  },
  'a full disk is ENOSPC in an image': {
    options: ['--image', IMAGE, '--user', 'root', '--storage', '256m'], command: ['sh', '-c', 'head -c 400M /dev/zero >/usr/big'],
    holds: ({ report, status, output }) => ({ ENOSPC: output.includes('No space left on device'), storage: report.conclusion === 'storage', failed: status !== 0 }),
  },
  'a volume is there in the next run': {
    before: { options: ['--volume', 'decoy-checks:/cache:64m'], command: ['sh', '-c', 'echo kept >/cache/file'] },
    options: ['--volume', 'decoy-checks:/cache'], command: ['cat', '/cache/file'],
    holds: ({ report, output }) => ({ success: report.conclusion === 'success', kept: /^kept$/m.test(output) }),
  },
  'a snapshot is started from': {
    before: { options: ['--image', IMAGE, '--user', 'root', '--snapshot-to', 'decoy-checks'], command: ['sh', '-c', 'echo saved >/etc/saved && rm /etc/of-the-image'] },
    options: ['--snapshot-from', 'decoy-checks', '--user', 'root'], command: ['sh', '-c', 'cat /etc/saved; test ! -e /etc/of-the-image'],
    holds: ({ report, output }) => ({ success: report.conclusion === 'success', saved: /^saved$/m.test(output) }),
  },
};

const [file, ...only] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node checks.mjs dist/cli.js [NAME…]');
const cli = path.resolve(file);
const { workspace, directory } = makeWorkspace();
// What is kept from run to run is kept for the checks only.
process.env.DECOY_VOLUMES = path.join(directory, 'volumes');
process.env.DECOY_SNAPSHOTS = path.join(directory, 'snapshots');
importImage();
const loopsBefore = boundLoops();
let failures = 0;
const names = [...Object.keys(CHECKS), 'decoy demo', 'nothing is left behind'].filter((name) => only.length === 0 || only.includes(name));
for (const name of names) {
  const startedMs = performance.now();
  const { facts, output } = check(name);
  const wrong = Object.entries(facts).filter(([, holds]) => !holds).map(([fact]) => fact);
  if (wrong.length > 0) failures += 1;
  console.log(`${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)${wrong.length === 0 ? '' : `: ${wrong.join(', ')}`}`);
  if (wrong.length > 0 || CHECKS[name]?.show) console.log(output.replace(/^/gm, '     '));
}
removeKept();
fs.rmSync(directory, { recursive: true, force: true });
console.log(failures === 0 ? `${names.length} checks held` : `${failures} of ${names.length} checks FAILED`);
process.exitCode = failures === 0 ? 0 : 1;

function makeWorkspace() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'decoy-checks-'));
  const workspace = path.join(directory, 'workspace');
  fs.mkdirSync(workspace);
  fs.writeFileSync(path.join(workspace, 'README'), 'as it was\n');
  const git = (...args) => execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.test', ...args], { cwd: workspace, stdio: 'ignore' });
  git('init', '-q');
  git('add', 'README');
  git('commit', '-qm', 'start');
  return { workspace, directory };
}

/** A few programs of this machine and their libraries, where it has them too. */
function importImage() {
  const programs = ['sh', 'cat', 'id', 'head', 'rm', 'env'].map((name) => `/usr/bin/${name}`);
  const libraries = programs.flatMap((program) => execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? []);
  const root = path.join(directory, 'image');
  for (const file of new Set([...programs, ...libraries])) {
    const place = path.join(root, fs.realpathSync(path.dirname(file)), path.basename(file));
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.copyFileSync(file, place);
  }
  for (const name of ['bin', 'lib', 'lib64']) fs.symlinkSync(`usr/${name}`, path.join(root, name));
  fs.mkdirSync(path.join(root, 'etc'));
  fs.writeFileSync(path.join(root, 'etc/of-the-image'), 'made for the checks\n');
  const tar = execFileSync('tar', ['--owner=0', '--group=0', '-c', '-C', root, '.'], { maxBuffer: 256 * MIB });
  execFileSync('docker', ['import', '--change', 'ENV PATH=/usr/bin', '-', IMAGE], { input: tar, stdio: ['pipe', 'ignore', 'inherit'] });
}

function removeKept() {
  decoy(['snapshots', 'remove', 'decoy-checks'], directory);
  decoy(['volumes', 'remove', 'decoy-checks'], directory);
  spawnSync('docker', ['rmi', '--force', IMAGE], { stdio: 'ignore' });
}

function check(name) {
  if (name === 'decoy demo') return checkDemo();
  if (name === 'nothing is left behind') return checkRemains();
  const { before, options, command, holds } = CHECKS[name];
  if (before !== undefined) {
    const { status, stdout, stderr } = decoy(['run', ...before.options, '--', ...before.command], workspace);
    if (status !== 0) return { facts: { [`the run before it (exit code ${status})`]: false }, output: stdout + stderr };
  }
  const files = { report: path.join(directory, 'report.json'), patch: path.join(directory, 'changes.patch') };
  Object.values(files).forEach((file) => fs.rmSync(file, { force: true }));
  const { status, stdout, stderr } = decoy(['run', '--report', files.report, '--patch', files.patch, ...options, '--', ...command], workspace);
  const output = stdout + stderr;
  try {
    const report = JSON.parse(fs.readFileSync(files.report, 'utf8'));
    const patch = fs.existsSync(files.patch) ? fs.readFileSync(files.patch, 'utf8') : '';
    const { samples, ...rest } = report;
    return { facts: holds({ report, status, output, patch, workspace }), output: `${output}\n${JSON.stringify({ ...rest, samples: samples.length })}` };
  } catch (error) {
    return { facts: { [`a report (${error.message}; exit code ${status})`]: false }, output };
  }
}

function checkDemo() {
  const { status, stdout, stderr } = decoy(['demo'], directory);
  return { facts: { 'exit code 0': status === 0, 'four claims': (stdout.match(/^yes {2}/gm) ?? []).length === 4 }, output: stdout + stderr };
}

function checkRemains() {
  const list = (...args) => spawnSync('docker', [...args, '-q', '--filter', 'label=decoy'], { encoding: 'utf8' });
  const remains = { containers: list('ps', '-a'), volumes: list('volume', 'ls'), 'loop devices': { status: 0, stdout: boundLoops().filter((name) => !loopsBefore.includes(name)).join(' ') } };
  return {
    facts: Object.fromEntries(Object.entries(remains).map(([what, { status, stdout }]) => [`no ${what}`, status === 0 && stdout.trim() === ''])),
    output: Object.values(remains).map(({ stdout, stderr }) => `${stdout}${stderr ?? ''}`).join(''),
  };
}

function boundLoops() {
  return fs.readdirSync('/sys/block').filter((name) => name.startsWith('loop') && fs.existsSync(`/sys/block/${name}/loop/backing_file`));
}

function decoy(args, cwd) {
  return spawnSync(process.execPath, [cli, ...args], { cwd, encoding: 'utf8', timeout: 600_000, maxBuffer: 64 * MIB });
}
