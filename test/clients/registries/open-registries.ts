import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export const registryHosts = { crates: 'crates.example.test', gems: 'gems.example.test', python: 'python.example.test' };

/**
 * Three private registries, each with one package `greeting`: Cargo's sparse index, Bundler's compact index with what `gem` needs beside it,
 * and Python's simple index. Files are shown to who sends the host's value of `authorizations`; anybody else is asked for it.
 */
export async function openRegistries(folder: string, authorizations: Record<string, string>): Promise<RequestListener> {
  await addCrate(path.join(folder, registryHosts.crates));
  addGem(path.join(folder, registryHosts.gems));
  addWheel(path.join(folder, registryHosts.python));
  return (request, response) => {
    const host = request.headers.host ?? '';
    const file = path.join(folder, host, path.normalize(decodeURIComponent((request.url ?? '').split('?')[0] as string)));
    if (request.headers.authorization !== authorizations[host]) response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end();
    else if (request.method === 'POST') response.end('taken');
    else if (existsSync(`${file}/index.html`)) response.writeHead(200, { 'content-type': 'text/html' }).end(readFileSync(`${file}/index.html`));
    else if (existsSync(file) && !file.endsWith('/')) response.end(readFileSync(file));
    else response.writeHead(404).end();
  };
}

/** https://doc.rust-lang.org/cargo/reference/registry-index.html: a name of eight letters is below its first two pairs. */
async function addCrate(folder: string): Promise<void> {
  const crate = gzipSync(await tar({
    'greeting-1.0.0/Cargo.toml': '[package]\nname = "greeting"\nversion = "1.0.0"\n',
    'greeting-1.0.0/src/lib.rs': 'pub const WORDS: &str = "hello cargo";\n',
  }));
  write(folder, {
    'config.json': JSON.stringify({ dl: `https://${registryHosts.crates}/files`, 'auth-required': true }),
    'gr/ee/greeting': `${JSON.stringify({ name: 'greeting', vers: '1.0.0', deps: [], features: {}, yanked: false, cksum: sha256(crate) })}\n`,
    'files/greeting/1.0.0/download': crate,
  });
}

/** https://guides.rubygems.org/rubygems-org-compact-index-api/ */
function addGem(folder: string): void {
  write(folder, {
    'greeting.gemspec': `Gem::Specification.new do |gem|
      gem.name, gem.version, gem.summary, gem.authors, gem.files = 'greeting', '1.0.0', 'says hello', ['t'], ['lib/greeting.rb']
    end`,
    'lib/greeting.rb': "module Greeting\n  def self.words = 'hello ruby'\nend\n",
    'quick/Marshal.4.8/.keep': '', 'gems/.keep': '',
  });
  execFileSync('ruby', ['-e', `
    require 'rubygems/package'; require 'zlib'
    spec = Gem::Specification.load('greeting.gemspec')
    Gem::Package.build(spec, false, false, 'gems/greeting-1.0.0.gem')
    File.binwrite('quick/Marshal.4.8/greeting-1.0.0.gemspec.rz', Zlib::Deflate.deflate(Marshal.dump(spec)))
  `], { cwd: folder, stdio: 'pipe' });
  const info = `---\n1.0.0 |checksum:${sha256(readFileSync(path.join(folder, 'gems/greeting-1.0.0.gem')))}\n`;
  write(folder, {
    'index.html': '', 'info/greeting': info,
    versions: `created_at: 2024-04-01T00:00:05Z\n---\ngreeting 1.0.0 ${createHash('md5').update(info).digest('hex')}\n`,
  });
}

/** https://packaging.python.org/en/latest/specifications/simple-repository-api/ */
function addWheel(folder: string): void {
  const about = 'greeting-1.0.0.dist-info';
  write(folder, {
    'greeting.py': "words = 'hello pip'\n",
    [`${about}/METADATA`]: 'Metadata-Version: 2.1\nName: greeting\nVersion: 1.0.0\n',
    [`${about}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${about}/RECORD`]: `greeting.py,,\n${about}/METADATA,,\n${about}/WHEEL,,\n${about}/RECORD,,\n`,
    'simple/greeting/index.html': '<!DOCTYPE html><a href="../../greeting-1.0.0-py3-none-any.whl">greeting-1.0.0-py3-none-any.whl</a>',
  });
  execFileSync('python3', ['-m', 'zipfile', '-c', 'greeting-1.0.0-py3-none-any.whl', 'greeting.py', about], { cwd: folder, stdio: 'pipe' });
}

async function tar(files: Record<string, string>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function write(folder: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
