import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { actionDirectory, readActionFile } from './action-file.ts';

const REMEDY = 'act is not installed: run scripts/install-act.sh, or set DECOY_ACT to the path of the program';
const act = findAct();
const isRequired = process.env['DECOY_TEST_ACT'] === '1';

const WORKFLOW = `
on: push
jobs:
  job:
    runs-on: ubuntu-latest
    env:
      GITHUB_TOKEN: ghs_ofTheJobItself0000000000000000000000
    steps:
      - uses: actions/checkout@v4
      - id: good
        uses: ./
        with:
          report-artifact: good
          secrets: |
            TOKEN@api.example.com<<EOF
            sk-realValueThatMustNeverAppear0123456789
            EOF
          env: |
            QUOTED='it's "quoted" $(id) \`id\`'
          run: |
            echo "inside: $QUOTED"
            echo "token: $TOKEN"
            env | grep -E '^(GITHUB|ACTIONS|RUNNER|INPUT)_' || echo "none of the runner's"
            echo "::set-output name=conclusion::forged"
            echo "::add-path::/tmp/evil" >&2
            echo "::set-env name=FORGED::yes"
            echo "##[set-env name=FORGED]yes"
            echo changed > file.txt
      - id: bad
        uses: ./
        continue-on-error: true
        with:
          report-artifact: bad
          run: exit 9
      - id: refused
        uses: ./
        continue-on-error: true
        with:
          report-artifact: refused
          timeout: 2h
          run: 'true'
      - run: |
          {
            echo 'good=\${{ steps.good.outputs.conclusion }} \${{ steps.good.outputs.exit-code }} \${{ steps.good.outputs.changed-files }}'
            echo 'bad=\${{ steps.bad.outcome }} \${{ steps.bad.outputs.conclusion }} \${{ steps.bad.outputs.exit-code }}'
            echo 'refused=\${{ steps.refused.outcome }} \${{ steps.refused.outputs.conclusion }} \${{ steps.refused.outputs.exit-code }}'
            echo "forged=$FORGED"
            case "$PATH" in */tmp/evil*) echo path=forged ;; esac
          } > "$RESULTS/results"
`;

/** In place of actions/upload-artifact, for which act would need GitHub. */
const UPLOAD = `
name: upload
description: copies what it is given
inputs:
  name: { required: true }
  path: { required: true }
runs:
  using: composite
  steps:
    - shell: bash
      env: { NAME: '\${{ inputs.name }}', FROM: '\${{ inputs.path }}' }
      run: cp -r "$FROM" "$RESULTS/artifact-$NAME"
`;

let root: string;
beforeAll(() => { root = fs.mkdtempSync(path.join(os.tmpdir(), 'decoy-act-')); });
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

test.skipIf(act === null && !isRequired)('a workflow with `uses: ./` runs under act: outputs, failures, refusals, artifacts, hostile output', async () => {
  if (act === null) throw new Error(REMEDY);
  const project = layOutProject();
  const { exitCode, log } = await runAct(project);
  expect(exitCode, log).toBe(0);
  const results = fs.readFileSync(path.join(root, 'results'), 'utf8');
  expect(results.split('\n'), log).toEqual(['good=success 0 file.txt', 'bad=failure failure 9', 'refused=failure error 125', 'forged=', '']);
  expect(log).toContain('inside: \'it\'s "quoted" $(id) `id`\'');
  expect(log).toContain("none of the runner's");
  expect(log).toMatch(/token: sk-/);
  expect(log).not.toContain('sk-realValueThatMustNeverAppear');
  for (const name of ['good', 'bad', 'refused']) {
    expect(fs.readdirSync(path.join(root, `artifact-${name}`)).sort()).toEqual(['audit.jsonl', 'changes.patch', 'report.html', 'report.json']);
  }
  expect(fs.readFileSync(path.join(root, 'artifact-good', 'changes.patch'), 'utf8')).toContain('+changed');
}, 180_000);

/** A repository that is the action: what is committed of it, and the workflow. */
function layOutProject(): string {
  const project = path.join(root, 'project');
  fs.mkdirSync(path.join(project, '.github', 'workflows'), { recursive: true });
  for (const name of ['action.yml', 'package.json', 'dist', path.join('scripts', 'action-node.sh')]) {
    fs.cpSync(path.join(actionDirectory, name), path.join(project, name), { recursive: true });
  }
  fs.writeFileSync(path.join(project, '.github', 'workflows', 'test.yml'), WORKFLOW);
  fs.mkdirSync(path.join(root, 'upload'));
  fs.writeFileSync(path.join(root, 'upload', 'action.yml'), UPLOAD);
  for (const args of [['init', '-q'], ['add', '-A'], ['-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-qm', 'action']]) {
    spawnSync('git', args, { cwd: project });
  }
  return project;
}

async function runAct(project: string): Promise<{ exitCode: number | null; log: string }> {
  const upload = readActionFile().runs.steps.find(({ uses }) => uses !== undefined)?.uses as string;
  const args = [
    'push', '-P', 'ubuntu-latest=-self-hosted', '--local-repository', `${upload}=${path.join(root, 'upload')}`, '--no-cache-server',
    '--action-offline-mode', '--action-cache-path', path.join(root, 'cache'), '--env', `RESULTS=${root}`,
  ];
  const env = { PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, HOME: root, XDG_CACHE_HOME: path.join(root, 'cache'), XDG_CONFIG_HOME: path.join(root, 'config') };
  fs.mkdirSync(path.join(root, 'config', 'act'), { recursive: true });
  fs.writeFileSync(path.join(root, 'config', 'act', 'actrc'), '');
  const child = spawn(act as string, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const exitCode = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { exitCode, log: Buffer.concat(chunks).toString() };
}

function findAct(): string | null {
  const directories = [...(process.env['PATH'] ?? '').split(':'), path.join(os.homedir(), 'go', 'bin')];
  const candidates = process.env['DECOY_ACT'] ? [process.env['DECOY_ACT']] : directories.map((directory) => path.join(directory, 'act'));
  return candidates.find((file) => fs.existsSync(file)) ?? null;
}
