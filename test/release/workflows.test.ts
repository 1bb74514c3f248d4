import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { runTool } from '../action/workflow-tools.ts';
import { readWorkflows, root, workflowDirectory } from './workflow-files.ts';

const workflows = readWorkflows();
const jobs = Object.entries(workflows).flatMap(([file, { jobs: all }]) => Object.entries(all).map(([name, job]) => ({ file, name, job })));
// Not with the shell linters a machine may have: what is said must be the same on all.
const LINT = ['-shellcheck=', '-pyflakes='];
const AUDIT = ['--offline', '--no-progress', '--no-config'];

test('actionlint and zizmor find nothing in the workflows, and zizmor nothing in action.yml and dependabot.yml', () => {
  expect(runTool('actionlint', [...LINT, ...fs.readdirSync(workflowDirectory).map((file) => path.join(workflowDirectory, file))], root)).toEqual({ exitCode: 0, output: '' });
  const audit = runTool('zizmor', [...AUDIT, '.github', 'action.yml'], root);
  expect(audit.output).toContain('No findings to report');
  expect(audit.exitCode).toBe(0);
});

test('the control: they find a tag in place of a commit, an output nobody sets, and text that becomes part of a script', () => {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'judged-'));
  fs.mkdirSync(path.join(place, '.github/workflows'), { recursive: true });
  const file = path.join(place, '.github/workflows/release.yml');
  const text = fs.readFileSync(path.join(workflowDirectory, 'release.yml'), 'utf8');
  fs.writeFileSync(file, text.replace(/checkout@\w+/, 'checkout@v6').replace('needs.pack.outputs.package', 'needs.pack.outputs.pakage').replace('"$GITHUB_REF_NAME" >', '"${{ github.ref_name }}" >'));
  expect(runTool('actionlint', [...LINT, file], place).output).toContain('pakage');
  const { output } = runTool('zizmor', [...AUDIT, '.'], place);
  for (const audit of ['unpinned-uses', 'template-injection']) expect(output).toContain(audit);
  fs.rmSync(place, { recursive: true });
});

test('everything from elsewhere is pinned by commit, to one commit each, with its version', () => {
  const texts = [...fs.readdirSync(workflowDirectory).map((name) => path.join(workflowDirectory, name)), path.join(root, 'action.yml')].map((file) => fs.readFileSync(file, 'utf8'));
  const uses = texts.flatMap((text) => [...text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)].map(([, value]) => value as string)).filter((value) => !value.startsWith('./'));
  expect(uses.length).toBeGreaterThan(8);
  const pins = new Map<string, Set<string>>();
  for (const value of uses) {
    const [, action = '', pin = ''] = /^([\w.-]+\/[\w.-]+)(?:\/[\w./-]+)?@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(value) ?? [];
    expect(action, value).not.toBe('');
    pins.set(action, (pins.get(action) ?? new Set()).add(pin));
  }
  for (const [action, versions] of pins) expect([...versions], action).toHaveLength(1);
});

test('every job has the rights it needs and no other, none keeps the token in .git, and none waits for ever', () => {
  for (const { permissions } of Object.values(workflows)) expect(permissions).toEqual({});
  expect(Object.fromEntries(jobs.map(({ file, name, job }) => [`${file} ${name}`, job.permissions]))).toEqual({
    'ci.yml test': { contents: 'read' }, 'ci.yml action': { contents: 'read' },
    'release.yml test': { contents: 'read' }, 'release.yml pack': { contents: 'read', 'id-token': 'write', attestations: 'write' }, 'release.yml npm': { 'id-token': 'write' }, 'release.yml release': { contents: 'write' },
  });
  for (const { name, job } of jobs) {
    if (job.uses === undefined) expect(job['timeout-minutes'], name).toBeGreaterThan(0);
    for (const step of job.steps ?? []) if (step.uses?.startsWith('actions/checkout@')) expect(step.with?.['persist-credentials'], name).toBe(false);
  }
});

test('a job that may publish runs nothing of the repository\'s dependencies, and comes after the tests', () => {
  const { npm, release, pack } = workflows['release.yml']?.jobs ?? {};
  for (const job of [npm, release]) for (const { run = '' } of job?.steps ?? []) expect(run).not.toMatch(/npm (?:ci|install|run|exec)|npx|scripts\/(?!release\/)/);
  expect(npm?.steps?.map(({ run }) => run).filter(Boolean)).toEqual(['npm publish --provenance --access public --ignore-scripts ./*.tgz']);
  expect({ pack: pack?.needs, npm: npm?.needs, release: release?.needs }).toEqual({ pack: 'test', npm: 'pack', release: ['pack', 'npm'] });
});

test('new versions of everything are proposed, after some days', () => {
  const { updates } = parse(fs.readFileSync(path.join(root, '.github/dependabot.yml'), 'utf8')) as { updates: { 'package-ecosystem': string; directory?: string; directories?: string[]; cooldown: { 'default-days': number } }[] };
  expect(updates.map((update) => update['package-ecosystem']).sort()).toEqual(['github-actions', 'gomod', 'npm']);
  for (const { cooldown, directory = '/' } of updates) {
    expect(cooldown['default-days']).toBeGreaterThanOrEqual(7);
    expect(fs.existsSync(path.join(root, directory))).toBe(true);
  }
});
