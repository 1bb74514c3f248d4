import fs from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { expect, test } from 'vitest';
import { footprint, settled } from '../integration/support/footprint.ts';
import { startUpstream } from '../integration/support/upstream.ts';
import { commitAll, layOutAction, openAct } from './open-act.ts';
import { workflowTool } from './workflow-tools.ts';

const KEYS = { FIRST: 'first-key-8hT40sPvX7cLmR2yKdWb', SECOND: 'second-key-Zq83hTn40sPvX7cLmR2' };

/** Each job uses Decoy twice. */
const WORKFLOW = `
on: push
jobs:
${Object.keys(KEYS).map((name) => `  ${name}:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - id: meet
        uses: ./
        with:
          report-artifact: ${name}-meet
          resolve: meet.example.com:443:127.0.0.1:PORT
          secrets: KEY@meet.example.com=\${{ secrets.${name} }}
          env: PATH=/usr/bin:/bin
          run: |
            curl -sS -H "authorization: $KEY" https://meet.example.com/ > met.txt
      - id: after
        if: steps.meet.outputs.changed-files == 'met.txt'
        uses: ./
        with:
          report-artifact: ${name}-after
          env: PATH=/usr/bin:/bin
          run: |
            test ! -e met.txt && test -z "$KEY"
            curl -sS https://meet.example.com/ || exit 7
        continue-on-error: true
      - if: steps.after.outcome == 'failure' && steps.after.outputs.exit-code == '7' && steps.after.outputs.blocked-count == '1'
        run: echo \${{ steps.meet.outputs.conclusion }} > "$RESULTS/${name}"
`).join('')}`;

test('two jobs at once, with two uses each, on a runner with a Node of its own and none in PATH', async () => {
  await using act = openAct();
  // Neither is answered before both have asked, so each is running while the other is.
  const waiting: ServerResponse[] = [];
  await using upstream = await startUpstream((_, response) => {
    waiting.push(response);
    if (waiting.length === 2) waiting.forEach((each) => each.end('both are here\n'));
  });
  const project = path.join(act.root, 'project');
  layOutAction(project);
  fs.mkdirSync(path.join(project, '.github', 'workflows'), { recursive: true });
  fs.writeFileSync(path.join(project, '.github', 'workflows', 'test.yml'), WORKFLOW.replaceAll('PORT', String(upstream.port)));
  commitAll(project);

  const runner = layOutRunner(act.root);
  const { exitCode, log } = await act.run(project, {
    program: runner.worker, path: runner.path, secrets: KEYS, env: { RESULTS: act.root, ...upstream.env }, args: ['--concurrent-jobs', '2'],
  });
  expect(exitCode, log).toBe(0);
  for (const name of Object.keys(KEYS)) expect(fs.readFileSync(path.join(act.root, name), 'utf8'), log).toBe('success\n');
  expect(upstream.received.map(({ headers }) => headers[headers.findIndex((header) => header.toLowerCase() === 'authorization') + 1]).sort()).toEqual(Object.values(KEYS).sort());

  const reports = Object.keys(KEYS).flatMap((name) => ['meet', 'after'].map((id) => JSON.parse(act.artifact(`${name}-${id}`)?.['report.json'] ?? 'null')));
  expect(reports.map(({ conclusion }) => conclusion)).toEqual(['success', 'failure', 'success', 'failure']);
  expect(new Set(reports.map(({ id }) => id)).size).toBe(4);
  for (const { id } of reports) expect(await settled(() => footprint(id))).toEqual([]);
}, 120_000);

/** act in the place of GitHub's worker, next to which the runner's Node lies; PATH has all of this machine's programs but node. */
function layOutRunner(root: string): { worker: string; path: string } {
  const worker = path.join(root, 'runner', 'bin', 'Runner.Worker');
  const node = path.join(root, 'runner', 'externals', 'node20', 'bin', 'node');
  const programs = path.join(root, 'programs');
  for (const directory of [path.dirname(worker), path.dirname(node), programs]) fs.mkdirSync(directory, { recursive: true });
  fs.copyFileSync(workflowTool('act'), worker);
  fs.symlinkSync(process.execPath, node);
  const names = new Map(['/bin', '/usr/bin', '/sbin', '/usr/sbin'].flatMap((directory) => fs.readdirSync(directory).map((name) => [name, path.join(directory, name)])));
  for (const [name, file] of names) {
    if (!['node', 'nodejs'].includes(name)) fs.symlinkSync(file, path.join(programs, name));
  }
  return { worker, path: programs };
}
