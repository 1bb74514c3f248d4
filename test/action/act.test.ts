import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commitAll, layOutAction, openAct } from './open-act.ts';

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

test('a workflow with `uses: ./` runs under act: outputs, failures, refusals, artifacts, hostile output', async () => {
  await using act = openAct();
  const project = path.join(act.root, 'project');
  layOutAction(project);
  fs.mkdirSync(path.join(project, '.github', 'workflows'), { recursive: true });
  fs.writeFileSync(path.join(project, '.github', 'workflows', 'test.yml'), WORKFLOW);
  commitAll(project);
  const { exitCode, log } = await act.run(project, { env: { RESULTS: act.root } });
  expect(exitCode, log).toBe(0);
  const results = fs.readFileSync(path.join(act.root, 'results'), 'utf8');
  expect(results.split('\n'), log).toEqual(['good=success 0 file.txt', 'bad=failure failure 9', 'refused=failure error 125', 'forged=', '']);
  expect(log).toContain('inside: \'it\'s "quoted" $(id) `id`\'');
  expect(log).toContain("none of the runner's");
  expect(log).toMatch(/token: sk-/);
  expect(log).not.toContain('sk-realValueThatMustNeverAppear');
  for (const name of ['good', 'bad', 'refused']) {
    expect(Object.keys(act.artifact(name) ?? {}).sort()).toEqual(['audit.jsonl', 'changes.patch', 'report.html', 'report.json']);
  }
  expect(act.artifact('good')?.['changes.patch']).toContain('+changed');
}, 180_000);
