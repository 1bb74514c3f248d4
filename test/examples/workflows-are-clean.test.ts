import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { runTool } from '../action/workflow-tools.ts';
import { examplesDirectory } from './open-example.ts';

const examples = fs.readdirSync(examplesDirectory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

test.each(examples)('%s: actionlint and zizmor have nothing to say', (name) => {
  const workflows = fs.readdirSync(path.join(examplesDirectory, name, '.github', 'workflows'));
  expect(workflows.length).toBeGreaterThan(0);
  // Not with the shell linters a machine may have: what is said must be the same on all.
  const lint = runTool('actionlint', ['-shellcheck=', '-pyflakes=', ...workflows.map((file) => path.join('.github', 'workflows', file))], path.join(examplesDirectory, name));
  expect(lint).toEqual({ exitCode: 0, output: '' });
  const audit = runTool('zizmor', ['--offline', '--no-progress', '--no-config', '.'], path.join(examplesDirectory, name));
  expect(audit.output).toContain('No findings to report');
  expect(audit.exitCode, audit.output).toBe(0);
});

test.each(examples)('%s: a job that runs foreign code can read the repository and nothing else, and only Decoy is given a secret', (name) => {
  const folder = path.join(examplesDirectory, name, '.github', 'workflows');
  const workflows = fs.readdirSync(folder).map((file) => parse(fs.readFileSync(path.join(folder, file), 'utf8')) as Workflow);
  const jobs = workflows.flatMap(({ permissions, jobs: ofWorkflow }) => Object.values(ofWorkflow).map((job) => ({ permissions, ...job }))).filter(({ steps }) => steps.some(isDecoy));
  expect(jobs.length).toBe(1);
  for (const { permissions, steps } of jobs) {
    expect(permissions).toEqual({ contents: 'read' });
    expect(JSON.stringify(steps.filter((step) => !isDecoy(step)))).not.toMatch(/secrets\.|github\.token/);
  }
});

test('zizmor has nothing to say of the action itself', () => {
  const { exitCode, output } = runTool('zizmor', ['--offline', '--no-progress', '--no-config', 'action.yml'], path.dirname(examplesDirectory));
  expect(output).toContain('No findings to report');
  expect(exitCode, output).toBe(0);
});

test('the judges do find what is wrong', () => {
  const folder = fs.mkdtempSync(path.join(process.env['TMPDIR'] ?? '/tmp', 'decoy-judges-'));
  fs.mkdirSync(path.join(folder, '.github', 'workflows'), { recursive: true });
  const text = fs.readFileSync(path.join(examplesDirectory, 'tests', '.github', 'workflows', 'tests.yml'), 'utf8');
  fs.writeFileSync(path.join(folder, '.github', 'workflows', 'tests.yml'), text.replace(/checkout@\w+/, 'checkout@v6').replace('needs.tests.outputs.blocked', 'needs.tests.outputs.blokced'));
  expect(runTool('actionlint', ['-shellcheck=', '-pyflakes='], folder).exitCode).not.toBe(0);
  expect(runTool('zizmor', ['--offline', '--no-progress', '--no-config', '.'], folder).exitCode).not.toBe(0);
  fs.rmSync(folder, { recursive: true });
});

type Workflow = { permissions?: unknown; jobs: Record<string, { permissions?: unknown; steps: { uses?: string }[] }> };

function isDecoy({ uses }: { uses?: string }): boolean {
  return uses?.startsWith('owner/decoy@') === true;
}
