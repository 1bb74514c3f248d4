// Builds dist/: the command line, the action and, unless --no-guest, the guest programs.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = process.env.DECOY_DIST ?? path.join(root, 'dist');
rmSync(path.join(out, 'chunks'), { recursive: true, force: true });

// dockerode reaches engines over ssh and BuildKit over gRPC; Decoy does neither, and their native parts cannot be bundled.
const unused = new Set(['ssh2', '@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs']);
const withoutUnused = {
  name: 'without-unused',
  setup(bundler) {
    bundler.onResolve({ filter: /^[^./]/ }, ({ path: name }) => (unused.has(name) ? { path: name, namespace: 'unused' } : undefined));
    bundler.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
  },
};

// @actions/tool-cache talks to the runner on stdout, which for the command line is the command's alone.
const withoutTalk = {
  name: 'without-talk',
  setup(bundler) {
    bundler.onResolve({ filter: /^@actions\/core$/ }, ({ importer }) => (/[\\/]@actions[\\/]tool-cache[\\/]/.test(importer) ? { path: 'core', namespace: 'silent' } : undefined));
    bundler.onLoad({ filter: /.*/, namespace: 'silent' }, () => ({ contents: 'export const debug = () => {}, info = debug, isDebug = () => false;' }));
  },
};

await build({
  absWorkingDir: root,
  entryPoints: { cli: 'src/cli.ts', action: 'src/action.ts', index: 'src/index.ts' },
  outdir: out,
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // tldts as ES modules loads in half the time of its CommonJS build.
  mainFields: ['module', 'main'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  plugins: [withoutUnused, withoutTalk],
  // ws would look for native helpers wherever Decoy is checked out, and take what a workspace put there.
  define: {
    DECOY_VERSION: JSON.stringify(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version),
    'process.env.WS_NO_BUFFER_UTIL': '"1"',
    'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
  },
  banner: { js: "import { createRequire as decoyCreateRequire } from 'node:module'; import { fileURLToPath as decoyFileURLToPath } from 'node:url'; const require = decoyCreateRequire(import.meta.url); const __filename = decoyFileURLToPath(import.meta.url); const __dirname = decoyFileURLToPath(new URL('.', import.meta.url));" },
  logLevel: 'warning',
});

// The report page: its script and style are put into every page, and with them the licence of the charts.
const uplot = path.join(root, 'node_modules', 'uplot');
await build({
  absWorkingDir: root,
  entryPoints: { 'report-page': 'page/main.ts' },
  outdir: out,
  bundle: true,
  platform: 'browser',
  target: ['chrome110', 'firefox115', 'safari16.4'],
  format: 'iife',
  minify: true,
  legalComments: 'none',
  banner: { js: `/*! uPlot\n${readFileSync(path.join(uplot, 'LICENSE'), 'utf8').trim()}\n*/` },
  logLevel: 'warning',
});
await build({
  absWorkingDir: root,
  stdin: { contents: '@import "uplot/dist/uPlot.min.css"; @import "./page/style.css";', resolveDir: root, loader: 'css' },
  outfile: path.join(out, 'report-page.css'),
  bundle: true,
  minify: true,
  logLevel: 'warning',
});

if (!process.argv.includes('--no-guest')) {
  const { status } = spawnSync('sh', [path.join(root, 'scripts', 'build-guest.sh')], { stdio: 'inherit', env: { ...process.env, DECOY_DIST: out } });
  process.exitCode = status ?? 1;
}
