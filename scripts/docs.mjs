// Writes the tables of README.md that say what action.yml declares. With --check it writes nothing and fails where they differ.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = process.env.DECOY_DOCS_ROOT ?? path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const readme = path.join(root, 'README.md');

/** Where there is more to say of an input or output than one cell can: a page, and what to call it. */
const MORE = {
  image: ['images', 'docs/images.md'], allow: ['rules', 'docs/allow-rules.md'], secrets: ['what happens to them', 'docs/secrets.md'], policy: ['policy files', 'docs/policy.md'], workspace: ['what is written', 'docs/workspace.md'],
  runtime: ['runtimes', 'docs/runtimes.md'], volumes: ['volumes', 'docs/volumes.md'], 'snapshot-to': ['snapshots', 'docs/snapshots.md'], mode: ['observe mode', 'docs/observe.md'], 'client-certificates': ['client certificates', 'docs/secrets.md#client-certificates'],
  'proxy-limits': ['the limits', 'docs/limits.md'], expose: ['how they are reached', 'docs/expose.md'], services: ['services', 'docs/services.md'], 'report-artifact': ['report.html', 'docs/html-report.md'],
};

const { inputs, outputs } = parse(readFileSync(path.join(root, 'action.yml'), 'utf8'));
const problems = Object.entries(MORE).flatMap(([name, [, page]]) => [
  ...(name in inputs || name in outputs ? [] : [`scripts/docs.mjs names ${name}, which action.yml does not have: remove it there`]),
  ...(existsSync(path.join(root, page.split('#')[0])) ? [] : [`scripts/docs.mjs links ${page}, which is not there: write it, or remove the link`]),
]);

const before = readFileSync(readme, 'utf8');
const after = fill(fill(before, 'inputs', inputTable(inputs)), 'outputs', outputTable(outputs));
const check = process.argv.includes('--check');
if (check && after !== before) problems.push('README.md does not say what action.yml says: run `npm run docs` and commit README.md');
if (!check && problems.length === 0) writeFileSync(readme, after);
problems.forEach((problem) => console.error(problem));
process.exitCode = problems.length > 0 ? 1 : 0;

function inputTable(declared) {
  const rows = Object.entries(declared).map(([name, { description, default: value, required }]) => {
    const [, text, written] = /^([^]*?)(?:[.:;]? ?Default: ([^]*))?$/.exec(description);
    const standard = value === undefined ? (written ?? (required ? 'required' : '')) : `\`${value}\``;
    return row([`\`${name}\``, standard, text + more(name)]);
  });
  return ['| input | default | |', '|---|---|---|', ...rows];
}

function outputTable(declared) {
  return ['| output | |', '|---|---|', ...Object.entries(declared).map(([name, { description }]) => row([`\`${name}\``, description + more(name)]))];
}

function more(name) {
  return name in MORE ? ` ([${MORE[name][0]}](${MORE[name][1]}))` : '';
}

function row(cells) {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** Between two comments, which stay. */
function fill(text, name, lines) {
  const [begin, end] = [`<!-- ${name}: written by \`npm run docs\` from action.yml -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md has no ${begin} … ${end}: put them where the table belongs`);
  return `${text.slice(0, from)}${begin}\n${lines.join('\n')}\n${text.slice(to)}`;
}
