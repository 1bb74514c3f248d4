// Prints what CHANGELOG.md says of the version a tag is for. Fails where the tag, package.json and the changelog do not agree. Usage: notes.mjs vX.Y.Z
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.env.DECOY_RELEASE_ROOT ?? path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const [tag = ''] = process.argv.slice(2);
try {
  process.stdout.write(`${notes(tag)}\n`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function notes(tag) {
  if (!/^v\d+\.\d+\.\d+$/.test(tag)) throw new Error(`"${tag}" is not a tag of a release: write one such as v1.2.3`);
  const version = tag.slice(1);
  const { version: own } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  if (own !== version) throw new Error(`the tag is ${tag}, but package.json says ${own}: set "version" there, or tag another commit`);
  const lines = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8').split('\n');
  // Keep a Changelog: `## [1.2.3] - 2026-12-31`, here also without the brackets.
  const from = lines.findIndex((line) => /^## \[?([\d.]+)\]?(?: - \d{4}-\d{2}-\d{2})?$/.exec(line)?.[1] === version);
  if (from < 0) throw new Error(`CHANGELOG.md has no section "## ${version} - YYYY-MM-DD": write what changed there`);
  const length = lines.slice(from + 1).findIndex((line) => line.startsWith('## '));
  const text = lines.slice(from + 1, length < 0 ? undefined : from + 1 + length).join('\n').trim();
  if (text === '') throw new Error(`the section of ${version} in CHANGELOG.md is empty: write what changed there`);
  // Links of the file are relative to it, and a release's page lies elsewhere.
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
  return server && repository ? text.replaceAll(/\]\((?![a-z]+:|#)([^)]+)\)/g, `](${server}/${repository}/blob/${tag}/$1)`) : text;
}
