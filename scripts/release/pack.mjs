// Packs the npm package into DIRECTORY: what runs, and its documentation. dist/ holds all it needs, so it depends on nothing. Usage: pack.mjs DIRECTORY
// $NPM_PACKAGE is the name to publish under, $GITHUB_SERVER_URL/$GITHUB_REPOSITORY where it comes from, which npm compares with the provenance.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FILES = ['dist', 'docs', 'schema', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE'];

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const [out] = process.argv.slice(2);
if (out === undefined) throw new Error('say where to put the package: pack.mjs DIRECTORY');

const { name, version, description, license, type, engines, bin, exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const { NPM_PACKAGE, GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;
const manifest = {
  name: NPM_PACKAGE || name, version, description, license, type, engines, os: ['linux'], bin, exports, files: FILES,
  ...(GITHUB_SERVER_URL && GITHUB_REPOSITORY ? { repository: { type: 'git', url: `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git` } } : {}),
};

const place = mkdtempSync(path.join(os.tmpdir(), 'decoy-pack-'));
try {
  for (const file of FILES) cpSync(path.join(root, file), path.join(place, file), { recursive: true });
  writeFileSync(path.join(place, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', path.resolve(out)], { cwd: place, stdio: ['ignore', 'inherit', 'inherit'] });
} finally {
  rmSync(place, { recursive: true, force: true });
}
