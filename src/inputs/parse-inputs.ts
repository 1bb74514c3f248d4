import fs from 'node:fs';
import path from 'node:path';
import type { Command, RunConfig } from '../config.ts';
import { parseResolve } from '../policy/parse-resolve.ts';
import { parseRules } from '../policy/parse-rules.ts';
import { quote } from '../policy/quote.ts';
import { parseDuration } from './parse-duration.ts';
import { parseEnv } from './parse-env.ts';
import type { ParsedSecrets } from './parse-secrets.ts';
import { parseShell } from './parse-shell.ts';
import { parseSize } from './parse-size.ts';
import type { RawInputs } from './raw-inputs.ts';

export type ParsedInputs = { ok: true; config: RunConfig } | { ok: false; problems: string[] };

/** `cwd` is the workspace's path. */
export type InputContext = { secrets: ParsedSecrets; workspacePath: string; homePath: string };

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const SCRIPT_PATH = '/decoy/script';

/** Turns the inputs into a checked configuration, or says everything that is wrong with them at once. */
export function parseInputs(raw: RawInputs, context: InputContext): ParsedInputs {
  const problems: string[] = [...context.secrets.problems, ...unsupported(raw)];
  const rules = parseRules(raw.allow ?? []);
  const resolve = parseResolve(raw.resolve ?? []);
  const env = parseEnv(raw.env ?? []);
  problems.push(...labelled('allow', rules.problems), ...labelled('resolve', resolve.problems), ...env.problems);
  const take = <T>(name: string, result: { ok: true; value: T } | { ok: false; problem: string }, fallback: T): T => {
    if (result.ok) return result.value;
    problems.push(`${name}: ${result.problem}`);
    return fallback;
  };
  const limits = {
    wallSeconds: take('timeout', parseDuration(raw.timeout || '30m', { minSeconds: 1, maxSeconds: 1800 }), 0),
    memoryBytes: take('memory', parseSize(raw.memory || '4g', { minBytes: 32 * MIB, maxBytes: 1024 * GIB }), 0),
    cpus: take('cpus', parseNumber(raw.cpus || '2', { min: 0.1, max: 256, whole: false }), 0),
    storageBytes: take('storage', parseSize(raw.storage || '10g', { minBytes: 64 * MIB, maxBytes: 1024 * GIB }), 0),
    pids: take('pids', parseNumber(raw.pids || '2048', { min: 16, max: 1_000_000, whole: true }), 0),
  };
  const mode = take('workspace', parseChoice(raw.workspace || 'copy', ['copy', 'read-only', 'none'] as const), 'none');
  const user = take('user', parseChoice(raw.user || 'runner', ['runner', 'root'] as const), 'runner');
  const failOnBlocked = take('fail-on-blocked', parseChoice(raw.failOnBlocked || 'false', ['true', 'false'] as const), 'false') === 'true';
  const workspacePath = mode === 'none' ? context.workspacePath : take('workspace', checkWorkspace(context), '/');
  const command = take<Command>('run', parseCommand(raw), { kind: 'argv', argv: [] });
  const workingDirectory = raw.workingDirectory ? path.resolve(mode === 'none' ? '/home/runner' : workspacePath, raw.workingDirectory) : null;
  const clash = Object.keys(env.env).find((name) => context.secrets.secrets.some((secret) => secret.name === name));
  if (clash !== undefined) problems.push(`env: \`${clash}\` is also the name of a secret: give one of them another name`);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    config: {
      command, image: 'runner', rules: rules.rules, secrets: context.secrets.secrets, resolve: resolve.entries, env: env.env, limits,
      workspace: { mode, path: workspacePath }, workingDirectory, user, failOnBlocked,
    },
  };
}

/** What the contract names and this version cannot do yet is refused, never ignored. */
function unsupported(raw: RawInputs): string[] {
  const given: [string, string | undefined, readonly string[]][] = [
    ['image', raw.image, ['runner']],
    ['policy', raw.policy, []],
    ['runtime', raw.runtime, ['runc']],
    ['volumes', raw.volumes?.join('\n'), []],
    ['snapshot-from', raw.snapshotFrom, []],
    ['snapshot-to', raw.snapshotTo, []],
    ['mode', raw.mode, ['enforce']],
  ];
  const refused = given.flatMap(([name, value, supported]) => {
    if (value === undefined || value === '' || supported.includes(value)) return [];
    const remedy = supported.length > 0 ? `use \`${supported.join('` or `')}\`` : 'leave it out';
    return [`${name}: ${quote(value)} is not supported yet: ${remedy}`];
  });
  if (raw.workspace === 'write') refused.push('workspace: `write` is not supported yet: use `copy` and apply the patch it gives');
  return refused;
}

function labelled(name: string, problems: readonly string[]): string[] {
  return problems.map((problem) => `${name}: ${problem}`);
}

type Result<T> = { ok: true; value: T } | { ok: false; problem: string };

function parseNumber(text: string, { min, max, whole }: { min: number; max: number; whole: boolean }): Result<number> {
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : NaN;
  if (Number.isNaN(value) || (whole && !Number.isInteger(value))) return { ok: false, problem: `${quote(text)} is not a ${whole ? 'whole ' : ''}number: write one such as \`2\`` };
  if (value < min || value > max) return { ok: false, problem: `${quote(text)} is out of range: write a number from ${min} to ${max}` };
  return { ok: true, value };
}

function parseChoice<const T extends string>(text: string, choices: readonly T[]): Result<T> {
  const value = choices.find((choice) => choice === text.trim());
  if (value !== undefined) return { ok: true, value };
  // `write` has its own message.
  return { ok: false, problem: `${quote(text)} is not one of ${choices.map((choice) => `\`${choice}\``).join(', ')}` };
}

function parseCommand(raw: RawInputs): Result<Command> {
  const hasScript = raw.run !== undefined && raw.run.trim() !== '';
  const hasCommand = raw.command !== undefined && raw.command.length > 0;
  if (hasScript && hasCommand) return { ok: false, problem: 'both a script and a command are given: give one of them' };
  if (hasCommand) {
    if (raw.shell) return { ok: false, problem: `a command is run without a shell, but shell is ${quote(raw.shell)}: leave it out or give a script` };
    return { ok: true, value: { kind: 'argv', argv: raw.command ?? [] } };
  }
  if (!hasScript) return { ok: false, problem: 'nothing to run: give the script as `run:`, or a command after `--`' };
  const shell = parseShell(raw.shell || '', { scriptPath: SCRIPT_PATH, hasBash: fs.existsSync('/bin/bash') });
  return shell.ok ? { ok: true, value: { kind: 'script', text: raw.run as string, shell: shell.value } } : shell;
}

/** A copy-on-write view of a home or system directory would show what must stay hidden. */
function checkWorkspace({ workspacePath, homePath }: InputContext): Result<string> {
  const remedy = 'change to the project\'s own directory, or use `none`';
  let real: string;
  try {
    real = fs.realpathSync(workspacePath);
  } catch {
    return { ok: false, problem: `${quote(workspacePath)} does not exist: ${remedy}` };
  }
  if (!fs.statSync(real).isDirectory()) return { ok: false, problem: `${quote(real)} is not a directory: ${remedy}` };
  const above = [homePath, '/root', '/home', '/usr', '/etc', '/var', '/tmp', '/run', '/opt', '/proc', '/sys', '/dev', '/boot', '/decoy'];
  const holds = above.find((directory) => real === '/' || directory === real || directory.startsWith(`${real}/`));
  if (holds !== undefined) return { ok: false, problem: `${quote(real)} holds or is ${quote(holds)}, which the sandbox must not see: ${remedy}` };
  const inside = ['/proc', '/sys', '/dev', '/run', '/etc', '/boot', '/decoy'].find((directory) => real.startsWith(`${directory}/`));
  if (inside !== undefined) return { ok: false, problem: `${quote(real)} lies in ${quote(inside)}, which the sandbox has its own of: ${remedy}` };
  return { ok: true, value: real };
}
