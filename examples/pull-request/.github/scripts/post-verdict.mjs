// Comments on a pull request what its check found; a comment of an earlier run is replaced. Usage: post-verdict.mjs REPORT.JSON
//
// Everything about the other run is foreign: a pull request can change the workflow that wrote the report. So which pull request it is, is asked
// of GitHub by the commit that was run, and of the report only numbers and known words are used.
import fs from 'node:fs';

const MARKER = '<!-- decoy verdict -->';
const CONCLUSIONS = ['success', 'failure', 'timeout', 'oom', 'storage', 'blocked', 'cancelled', 'error'];
/** Of a list; GitHub gives no more files of a pull request: https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files */
const MOST = 3000;
const MOST_REPORT_BYTES = 8 * 1024 * 1024;

const { GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN, GITHUB_EVENT_PATH } = process.env;
const { workflow_run: run } = JSON.parse(fs.readFileSync(GITHUB_EVENT_PATH, 'utf8'));

const pull = await findPull();
const isTrusted = pull !== null && !(await changesItsCheck());
// Asked again: a commit that came meanwhile would have been looked at in place of the one that was run.
if ((await findPull()) === null) {
  console.log('no open pull request has this commit any more');
} else {
  await comment(`${MARKER}\n${isTrusted ? describe(readReport(process.argv[2])) : distrust()}\n\n[The run](${run.html_url})`);
}

async function comment(body) {
  const old = (await pages(`issues/${pull.number}/comments`)).find(({ user, body: text }) => user?.login === 'github-actions[bot]' && text.startsWith(MARKER));
  await api(old ? 'PATCH' : 'POST', old ? `issues/comments/${old.id}` : `issues/${pull.number}/comments`, { body });
}

/** The event has no pull request where it is one of a fork. */
async function findPull() {
  const head = `${run.head_repository.owner.login}:${run.head_branch}`;
  const pulls = await api('GET', `pulls?state=open&per_page=100&head=${encodeURIComponent(head)}`);
  return pulls.find((candidate) => candidate.head.sha === run.head_sha) ?? null;
}

async function changesItsCheck() {
  const files = await pages(`pulls/${pull.number}/files`);
  return files.length >= MOST || files.some(({ filename, previous_filename: old = '' }) => [filename, old].some((name) => name.startsWith('.github/')));
}

/** null where there is no report, or none that can be believed. */
function readReport(file) {
  try {
    if (fs.statSync(file).size > MOST_REPORT_BYTES) return null;
    const { conclusion, exitCode, usage: { network: { blocked } }, changes } = JSON.parse(fs.readFileSync(file, 'utf8'));
    const numbers = [exitCode, blocked, changes.files, changes.insertions, changes.deletions];
    if (!CONCLUSIONS.includes(conclusion) || !numbers.every((value) => Number.isSafeInteger(value) && value >= 0)) return null;
    return { conclusion, exitCode, blocked, changes };
  } catch {
    return null;
  }
}

function describe(report) {
  if (report === null) return '**No verdict**: the check left no report that can be read.';
  const { conclusion, exitCode, blocked, changes } = report;
  return [
    `**${conclusion}**, exit code ${exitCode}, ${blocked === 0 ? 'nothing' : `**${blocked}** attempts`} blocked.`,
    `${changes.files} files changed against the base, ${changes.insertions} lines added, ${changes.deletions} removed.`,
  ].join('\n');
}

function distrust() {
  return '**No verdict**: this pull request changes files in `.github`, so it may have changed its own check. Read those first.';
}

async function pages(path) {
  const found = [];
  for (let page = 1; found.length < MOST; page += 1) {
    const part = await api('GET', `${path}?per_page=100&page=${page}`);
    found.push(...part);
    if (part.length < 100) break;
  }
  return found;
}

async function api(method, path, body) {
  const response = await fetch(`${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}/${path}`, {
    method, headers: { accept: 'application/vnd.github+json', authorization: `Bearer ${GITHUB_TOKEN}` }, ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path.replace(/\?.*/, '')}: GitHub answers ${response.status}`);
  return response.json();
}
