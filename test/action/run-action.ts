import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { actionDirectory, readActionFile, type ActionStep } from './action-file.ts';

export type StepResult = { pid: number | undefined; exitCode: number | null; stdout: string; stderr: string; outputs: Record<string, string>; summary: string };
export type Upload = { name: string; files: Record<string, string> };
export type ActionResult = {
  outputs: Record<string, string>;
  steps: Record<string, StepResult>;
  failed: boolean;
  summary: string;
  /** everything the runner would show, both pipes of every step */
  log: string;
  upload: Upload | null;
  /** what any step wrote to the files that change later steps */
  commandFiles: { env: string; path: string; state: string };
};

export type Runner = AsyncDisposable & {
  workspace: string;
  temporary: string;
  /** keys of what was saved in GitHub's cache */
  cached(): { key: string; bytes: number }[];
  use(inputs: Record<string, string>, options?: UseOptions): Promise<ActionResult>;
};

/** What GitHub's cache holds, oldest first; of one ref. */
type CacheEntry = { key: string; path: string; file: Buffer };

export type UseOptions = {
  env?: Record<string, string>;
  /** called once the step's process runs and again with every piece of its stdout */
  onRun?(process: ChildProcess, stdout: string): void;
};

/** Does with action.yml what GitHub's runner does with a composite action, in the runner's layout of directories. */
export function startRunner(): Runner {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'decoy-runner-'));
  // Readable as a runner's home is: the sandbox's user must be kept out by the sandbox.
  fs.chmodSync(base, 0o755);
  const workspace = path.join(base, 'work', 'project', 'project');
  const temporary = path.join(base, 'work', '_temp');
  fs.mkdirSync(workspace, { recursive: true });
  fs.mkdirSync(temporary, { recursive: true });
  const cache: CacheEntry[] = [];
  return {
    workspace,
    cached: () => cache.map(({ key, file }) => ({ key, bytes: file.length })),
    temporary,
    use: (inputs, options = {}) => use({ workspace, temporary, cache }, { inputs, ...options }),
    [Symbol.asyncDispose]: async () => fs.rmSync(base, { recursive: true, force: true }),
  };
}

type Place = { workspace: string; temporary: string; cache: CacheEntry[] };
type Context = { inputs: Record<string, string>; steps: Record<string, { outputs: Record<string, string> }>; failed: boolean };

async function use(place: Place, { inputs, ...options }: { inputs: Record<string, string> } & UseOptions): Promise<ActionResult> {
  const action = readActionFile();
  const unknown = Object.keys(inputs).filter((name) => !(name in action.inputs));
  if (unknown.length > 0) throw new Error(`action.yml has no input ${unknown.join(', ')}`);
  const defaults = Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? '']));
  const context: Context = { inputs: { ...defaults, ...inputs }, steps: {}, failed: false };
  const commandFiles = commandFilesOf(place);
  const steps: Record<string, StepResult> = {};
  let upload: Upload | null = null;
  for (const step of action.runs.steps) {
    if (!evaluate(step.if ?? 'success()', context)) continue;
    if (step.uses?.startsWith('actions/cache/')) {
      useCache(step, { cache: place.cache, context });
      continue;
    }
    if (step.uses !== undefined) {
      upload = { name: String(expand(step.with?.['name'] ?? '', context)), files: readFiles(String(expand(step.with?.['path'] ?? '', context))) };
      continue;
    }
    const result = await runStep(step, { place, context, commandFiles, options });
    steps[step.id] = result;
    context.steps[step.id] = { outputs: result.outputs };
    if (result.exitCode !== 0) context.failed = true;
  }
  const outputs = Object.fromEntries(Object.entries(action.outputs).map(([name, { value }]) => [name, expand(value, context)]));
  const read = (file: string) => fs.readFileSync(file, 'utf8');
  return {
    outputs, steps, upload, failed: context.failed,
    summary: Object.values(steps).map((step) => step.summary).join(''),
    log: Object.values(steps).map((step) => step.stdout + step.stderr).join(''),
    commandFiles: { env: read(commandFiles.GITHUB_ENV), path: read(commandFiles.GITHUB_PATH), state: read(commandFiles.GITHUB_STATE) },
  };
}

/** An exact key, or else the newest that begins with one of `restore-keys`; only for the same path (github.com/actions/cache). */
function useCache(step: ActionStep, { cache, context }: { cache: CacheEntry[]; context: Context }): void {
  const [file = '', key = '', prefix] = ['path', 'key', 'restore-keys'].map((name) => (step.with?.[name] === undefined ? undefined : expand(step.with[name], context)));
  if (step.uses?.startsWith('actions/cache/save@')) {
    if (!cache.some((entry) => entry.key === key)) cache.push({ key, path: file, file: fs.readFileSync(file) });
    return;
  }
  const found = cache.findLast((entry) => entry.path === file && (entry.key === key || (prefix !== undefined && entry.key.startsWith(prefix))));
  if (found === undefined) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, found.file);
}

function commandFilesOf({ temporary }: Place) {
  const directory = path.join(temporary, '_runner_file_commands');
  fs.mkdirSync(directory, { recursive: true });
  const file = (name: string) => {
    const full = path.join(directory, `${name}_${randomUUID()}`);
    fs.writeFileSync(full, '');
    return full;
  };
  return { GITHUB_ENV: file('set_env'), GITHUB_PATH: file('add_path'), GITHUB_STATE: file('save_state') };
}

type StepParts = { place: Place; context: Context; commandFiles: ReturnType<typeof commandFilesOf>; options: UseOptions };

async function runStep(step: ActionStep, { place, context, commandFiles, options }: StepParts): Promise<StepResult> {
  if (step.shell !== 'bash' || step.run === undefined) throw new Error(`the step ${step.id} is not a bash script`);
  const id = randomUUID();
  const script = path.join(place.temporary, `${id}.sh`);
  fs.writeFileSync(script, expand(step.run, context));
  const outputFile = path.join(place.temporary, '_runner_file_commands', `set_output_${id}`);
  const summaryFile = path.join(place.temporary, '_runner_file_commands', `step_summary_${id}`);
  fs.writeFileSync(outputFile, '');
  fs.writeFileSync(summaryFile, '');
  const env: Record<string, string> = {
    PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, HOME: os.homedir(), LANG: 'C.UTF-8', CI: 'true',
    GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: place.workspace, GITHUB_ACTION_PATH: actionDirectory, RUNNER_TEMP: place.temporary,
    RUNNER_TOOL_CACHE: path.join(path.dirname(place.temporary), '_tool'), RUNNER_OS: 'Linux', GITHUB_REPOSITORY: 'owner/project', GITHUB_RUN_ID: '1',
    GITHUB_TOKEN: 'ghs_ofTheJobItself0000000000000000000000', ACTIONS_RUNTIME_TOKEN: 'runtime-token', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'oidc-token',
    GITHUB_OUTPUT: outputFile, GITHUB_STEP_SUMMARY: summaryFile, ...commandFiles,
    ...Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, expand(String(value), context)])),
    ...options.env,
  };
  const child = spawn('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', script], { cwd: place.workspace, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.stdout.push(chunk);
    if (step.id === 'run') options.onRun?.(child, Buffer.concat(chunks.stdout).toString());
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return {
    pid: child.pid, exitCode, stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString(),
    outputs: parseOutputFile(fs.readFileSync(outputFile, 'utf8')), summary: fs.readFileSync(summaryFile, 'utf8'),
  };
}

/** `name=value` lines and `name<<DELIMITER` blocks (docs.github.com, Workflow commands, Setting an output parameter). */
function parseOutputFile(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const [, name = '', operator, rest = ''] = /^([^=<]+)(=|<<)(.*)$/.exec(lines[index] as string) ?? [];
    if (operator === '=') outputs[name] = rest;
    if (operator !== '<<') continue;
    const end = lines.indexOf(rest, index + 1);
    if (end < 0) throw new Error(`the output ${name} never ends`);
    outputs[name] = lines.slice(index + 1, end).join('\n');
    index = end;
  }
  return outputs;
}

function expand(text: string, context: Context): string {
  return text.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => String(evaluate(expression, context)));
}

/** The few expressions action.yml uses: contexts, `||`, `&&`, `!=`, text, and the status functions. */
function evaluate(expression: string, context: Context): unknown {
  const lookUp = (name: string) => {
    const [scope = '', ...keys] = name.split('.');
    if (scope === 'inputs') return context.inputs[keys.join('.')] ?? '';
    if (scope === 'steps' && keys[1] === 'outputs') return context.steps[keys[0] as string]?.outputs[keys[2] as string] ?? '';
    throw new Error(`${name} is not known here`);
  };
  const code = expression.replace(/'[^']*'|always\(\)|success\(\)|[a-z][\w-]*(?:\.[\w-]+)+/g, (token) => {
    if (token === 'always()') return 'true';
    if (token === 'success()') return String(!context.failed);
    return token.startsWith("'") ? token : `lookUp(${JSON.stringify(token)})`;
  });
  return (new Function('lookUp', `return (${code});`) as (of: typeof lookUp) => unknown)(lookUp);
}

function readFiles(directory: string): Record<string, string> {
  return Object.fromEntries(fs.readdirSync(directory).map((name) => [name, fs.readFileSync(path.join(directory, name), 'utf8')]));
}
