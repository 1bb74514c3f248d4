// What a run costs: `decoy run -- true` against `docker run` of the same image and mounts, in turn; medians and their ratio.
// With IMAGE, which the engine has and which has a `true`, both run in that.
//
//   node bench/start-up.mjs [ROUNDS [IMAGE]]
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const rounds = Number(process.argv[2] ?? 10);
const given = process.argv[3];
const cli = path.join(import.meta.dirname, '..', 'dist', 'cli.js');
const workspace = mkdtempSync(path.join(tmpdir(), 'decoy-bench-'));

const decoy = () => timed(process.execPath, [cli, 'run', '--quiet', '--image', given ?? 'runner', '--', 'true']);
decoy(); // imports the image, fills the caches
const image = execFileSync('docker', ['images', '--quiet', 'decoy-root'], { encoding: 'utf8' }).split('\n')[0];
const tools = given === undefined ? ['-v', '/usr:/usr:ro', '-v', '/etc:/etc:ro'] : [];
const docker = () => timed('docker', ['run', '--rm', '--network', 'none', ...tools, '-v', `${workspace}:${workspace}:ro`, '--user', '0', '--entrypoint', 'true', given ?? image]);
docker();

const seconds = { decoy: [], docker: [] };
for (let round = 0; round < rounds; round++) {
  seconds.decoy.push(decoy());
  seconds.docker.push(docker());
}
rmSync(workspace, { recursive: true });
console.log(`${rounds} rounds, medians: decoy run -- true ${median(seconds.decoy).toFixed(3)} s, docker run ${median(seconds.docker).toFixed(3)} s, ratio of each pair ${median(seconds.decoy.map((each, round) => each / seconds.docker[round])).toFixed(2)}`);

function timed(program, args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, { cwd: workspace, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return (performance.now() - start) / 1000;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
