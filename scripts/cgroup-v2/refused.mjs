// Checks that Decoy starts nothing on an engine that cannot hold what it promises, and says so.
//   node refused.mjs CLI WORD     WORD: what the messages must have
import { spawnSync } from 'node:child_process';
import os from 'node:os';

const [cli, word] = process.argv.slice(2);
const decoy = (...args) => spawnSync(process.execPath, [cli, ...args], { cwd: os.homedir(), encoding: 'utf8', timeout: 600_000 });
const run = decoy('run', '--workspace', 'none', '--', 'echo', 'it ran');
const table = decoy('doctor');
const { ok, findings } = JSON.parse(decoy('doctor', '--json').stdout);
const engine = findings.find(({ check }) => check === 'engine');
const left = spawnSync('docker', ['ps', '-aq', '--filter', 'label=decoy'], { encoding: 'utf8' });
const facts = {
  'exit code 125': run.status === 125, 'nothing ran': !run.stdout.includes('it ran'), 'the run says why': run.stderr.includes(word),
  'doctor fails': table.status === 1 && !ok, 'its table says why': table.stdout.includes(word), 'its JSON says why and what to do': engine?.status === 'failed' && engine.remedy !== undefined,
  'no container': left.status === 0 && left.stdout.trim() === '',
};
const wrong = Object.entries(facts).filter(([, holds]) => !holds).map(([fact]) => fact);
console.log(wrong.length === 0 ? 'ok   refused' : `FAIL refused: ${wrong.join(', ')}`);
console.log(`${run.stderr}${table.stdout}${left.stderr}`.replace(/^/gm, '     '));
process.exitCode = wrong.length === 0 ? 0 : 1;
