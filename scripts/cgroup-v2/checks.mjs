// Runs Decoy against the engine of this machine and checks that every cap holds and that every figure is counted.
//   node checks.mjs CLI [NAME…]     CLI: path of dist/cli.js; NAME: only these checks
// Prints a line for each check; ends with 0 when all held. Nothing here depends on the engine or on the version of cgroups.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const MIB = 2 ** 20;

/** What is run in the sandbox, with which options, and what the report and the output must then say. */
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
    options: ['--pids', '32'], command: ['sh', '-c', 'i=0; while [ $i -lt 64 ]; do sleep 2 & i=$((i+1)); done; wait'],
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
};

const [file, ...only] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node checks.mjs dist/cli.js [NAME…]');
const cli = path.resolve(file);
const { workspace, directory } = makeWorkspace();
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

function check(name) {
  if (name === 'decoy demo') return checkDemo();
  if (name === 'nothing is left behind') return checkRemains();
  const { options, command, holds } = CHECKS[name];
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
