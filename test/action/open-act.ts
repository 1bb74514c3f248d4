import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { actionDirectory, readActionFile } from './action-file.ts';
import { standIns } from './stand-ins.ts';
import { workflowTool } from './workflow-tools.ts';

/**
 * act, which runs workflows on this machine without a container of its own. Nothing in a workflow is changed; actions it uses are
 * taken from local directories: Decoy is the one in this checkout, GitHub's own are those of stand-ins.ts. actions/checkout is
 * act's own: it copies the project, as it is, into the workspace.
 */
export type Act = AsyncDisposable & {
  root: string;
  run(project: string, options?: ActOptions): Promise<ActEnd>;
  /** what was uploaded under this name: its files and what is in them; null where nothing was */
  artifact(name: string): Record<string, string> | null;
};

export type ActOptions = {
  event?: string;
  /** what GitHub says of the event */
  payload?: unknown;
  workflow?: string;
  secrets?: Record<string, string>;
  /** of the runner */
  env?: Record<string, string>;
  /** more of act's own options */
  args?: readonly string[];
  /** of the machine, for act and so for the steps */
  path?: string;
  program?: string;
};

export type ActEnd = { exitCode: number | null; log: string };

export function openAct(): Act {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'decoy-act-'));
  layOutAction(path.join(root, 'decoy'));
  for (const [name, files] of Object.entries(standIns)) {
    for (const [file, text] of Object.entries(files)) write(path.join(root, name, file), text);
  }
  write(path.join(root, 'config', 'act', 'actrc'), '');
  return {
    root,
    run: (project, options = {}) => run(root, project, options),
    artifact: (name) => readArtifact(path.join(root, `artifact-${name}`)),
    [Symbol.asyncDispose]: async () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

/** A repository of these files with one commit. */
export function commitAll(project: string, message = 'all'): string {
  git(project, ['init', '-q']);
  git(project, ['add', '-A']);
  git(project, ['-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '-qm', message]);
  return git(project, ['rev-parse', 'HEAD']);
}

export function git(project: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: project, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** What is released of Decoy. */
export function layOutAction(directory: string): void {
  for (const name of ['action.yml', 'package.json', 'dist', path.join('scripts', 'action-node.sh')]) {
    fs.cpSync(path.join(actionDirectory, name), path.join(directory, name), { recursive: true });
  }
}

async function run(root: string, project: string, options: ActOptions): Promise<ActEnd> {
  const { event = 'push', payload = {}, workflow, secrets = {}, env = {}, args = [] } = options;
  const payloadFile = path.join(root, 'event.json');
  fs.writeFileSync(payloadFile, JSON.stringify(payload));
  const secretFile = path.join(root, 'secrets');
  fs.writeFileSync(secretFile, Object.entries(secrets).map(([name, value]) => `${name}=${value}\n`).join(''));
  const all = [
    event, '--eventpath', payloadFile, '--secret-file', secretFile, '-P', 'ubuntu-latest=-self-hosted', ...(workflow ? ['-W', path.join('.github', 'workflows', workflow)] : []),
    ...usedActions(project).flatMap((used) => ['--local-repository', `${used}=${path.join(root, directoryOf(used))}`]), '--no-cache-server',
    '--action-offline-mode', '--action-cache-path', path.join(root, 'cache'), ...Object.entries({ ...env, ARTIFACTS: root }).flatMap(([name, value]) => ['--env', `${name}=${value}`]), ...args,
  ];
  const child = spawn(options.program ?? workflowTool('act'), all, {
    cwd: project, stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: options.path ?? `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, HOME: root,
      XDG_CACHE_HOME: path.join(root, 'cache'), XDG_CONFIG_HOME: path.join(root, 'config'),
    },
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const exitCode = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { exitCode, log: Buffer.concat(chunks).toString() };
}

/** `owner/name@ref` of every action the project's workflows and Decoy itself use. */
function usedActions(project: string): string[] {
  const workflows = path.join(project, '.github', 'workflows');
  const ofWorkflows = fs.readdirSync(workflows).flatMap((name) => [...fs.readFileSync(path.join(workflows, name), 'utf8').matchAll(/^\s*(?:- )?uses: ([^./\s][^\s]*)/gm)].map((match) => match[1] as string));
  const ofDecoy = readActionFile().runs.steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
  const names = [...ofWorkflows, ...ofDecoy].map((name) => name.replace(/^([^/]+\/[^/@]+)[^@]*@/, '$1@'));
  return [...new Set(names)].filter((name) => !name.startsWith('actions/checkout@'));
}

function directoryOf(used: string): string {
  const name = used.replace(/@.*/, '');
  if (name === 'owner/decoy') return 'decoy';
  if (!(name in standIns)) throw new Error(`there is no stand-in for ${used}`);
  return name;
}

function readArtifact(directory: string): Record<string, string> | null {
  if (!fs.existsSync(directory)) return null;
  return Object.fromEntries(fs.readdirSync(directory).map((name) => [name, fs.readFileSync(path.join(directory, name), 'utf8')]));
}

function write(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
