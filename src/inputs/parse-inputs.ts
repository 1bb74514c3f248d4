import fs from 'node:fs';
import os from 'node:os';
import type { Command, Host, RunConfig } from '../config.ts';
import { quote } from '../policy/quote.ts';
import { exposedTrees } from '../sandbox/exposed-trees.ts';
import { checkWorkingDirectory } from './check-working-directory.ts';
import { checkWorkspace } from './check-workspace.ts';
import { findRealValues } from './find-real-values.ts';
import { findWhereSeen } from './find-where-seen.ts';
import { parseClientCertificates } from './parse-client-certificates.ts';
import { parseDestinations } from './parse-destinations.ts';
import { parseEnv } from './parse-env.ts';
import { parseExpose } from './parse-expose.ts';
import { parseProxyLimits } from './parse-proxy-limits.ts';
import type { ParsedSecrets } from './parse-secrets.ts';
import { parseServices, type ServicesContext } from './parse-services.ts';
import { parseShell } from './parse-shell.ts';
import { singleValues } from './single-values.ts';
import { locateProblems } from './policy/locate-problem.ts';
import { mergeInputs } from './policy/merge-inputs.ts';
import { readServicesText } from './policy/read-services.ts';
import type { ReadPolicy } from './policy/read-policy.ts';
import { quotedSecretWarnings } from './quoted-secrets.ts';
import { parseSnapshots } from './parse-snapshots.ts';
import { parseVolumes } from './parse-volumes.ts';
import type { RawInputs } from './raw-inputs.ts';

/** A warning is one sentence about what will not work out as it is meant, though it can be tried. */
export type ParsedInputs = { ok: true; config: RunConfig; warnings: string[] } | { ok: false; problems: string[] };

export type InputContext = {
  secrets: ParsedSecrets;
  /** what `policy` names, of which inputs that are given as well override single values */
  policy?: ReadPolicy;
  /** null: the directory Decoy was started in is no longer there */
  workspacePath: string | null;
  homePath: string;
  /** what its environment says that cannot be used is refused or warned of, too, and what the sandbox could see of it must hold no key */
  host?: Pick<Host, 'problems' | 'warnings' | 'toolCache' | 'hidden' | 'volumesDirectory' | 'snapshots'>;
  /** what this machine has; by default that of the operating system */
  machine?: { cpus: number; memoryBytes: number };
};

const MIB = 2 ** 20;
const DEFAULT_CPUS = 2;
const SCRIPT_PATH = '/decoy/script';

/** Turns the inputs into a checked configuration, or says everything that is wrong with them at once. */
export function parseInputs(given: RawInputs, context: InputContext): ParsedInputs {
  const parsed = parseUnited(context.policy === undefined ? given : mergeInputs(context.policy.inputs, given), context);
  if (parsed.ok) return { ...parsed, warnings: [...context.policy?.warnings ?? [], ...parsed.warnings] };
  return { ok: false, problems: locateProblems(parsed.problems, context.policy) };
}

function parseUnited(raw: RawInputs, context: InputContext): ParsedInputs {
  const problems: string[] = [...policyProblems(raw, context), ...context.host?.problems ?? []];
  const machine = context.machine ?? { cpus: os.cpus().length, memoryBytes: os.totalmem() };
  const destinations = parseDestinations(raw, { bindings: context.secrets.secrets });
  const env = parseEnv(raw.env ?? []);
  const proxyLimits = parseProxyLimits(raw.proxyLimits ?? []);
  problems.push(...destinations.problems, ...env.problems, ...proxyLimits.problems);
  const take = <T>(name: string, result: { ok: true; value: T } | { ok: false; problem: string }, fallback: T): T => {
    if (result.ok) return result.value;
    problems.push(`${name}: ${result.problem}`);
    return fallback;
  };
  const limits = {
    wallSeconds: take('timeout', singleValues.timeout(raw.timeout || '30m'), 0),
    memoryBytes: take('memory', singleValues.memory(raw.memory || '4g'), 0),
    cpus: take('cpus', parseCpus(raw.cpus, machine.cpus), 0),
    storageBytes: take('storage', singleValues.storage(raw.storage || '10g'), 0),
    pids: take('pids', singleValues.pids(raw.pids || '2048'), 0),
  };
  const mode = take('workspace', singleValues.workspace(raw.workspace || 'copy'), 'none');
  const user = take('user', singleValues.user(raw.user || 'runner'), 'runner');
  const policyMode = take('mode', singleValues.mode(raw.mode || 'enforce'), 'enforce');
  const runtime = take('runtime', singleValues.runtime(raw.runtime || 'runc'), 'runc');
  const foreignCredentials = take('foreign-credentials', singleValues['foreign-credentials'](raw.foreignCredentials || 'allow'), 'allow');
  const failOnBlocked = take('fail-on-blocked', singleValues['fail-on-blocked'](raw.failOnBlocked || 'false'), 'false') === 'true';
  const workspacePath = mode === 'none' ? '/' : take('workspace', checkWorkspace(context), '/');
  const image = take<RunConfig['image']>('image', singleValues.image(raw.image || 'runner'), 'runner');
  const snapshots = parseSnapshots({ from: raw.snapshotFrom, to: raw.snapshotTo, image: raw.image, place: context.host?.snapshots });
  problems.push(...snapshots.problems);
  const ofRunner = image === 'runner' && snapshots.from === null;
  const shown = { layout: () => (ofRunner ? exposedTrees({ toolCache: context.host?.toolCache, hidden: context.host?.hidden ?? [], user }) : null), workspacePath: mode === 'none' ? null : workspacePath };
  const seenAt = (file: string) => findWhereSeen(file, { trees: shown.layout()?.trees ?? [], workspacePath: shown.workspacePath });
  const { certificates: clientCertificates, problems: certificateProblems } = parseClientCertificates(raw.clientCertificates ?? [], { seenAt });
  const { expose, problems: exposeProblems } = parseExpose(raw.expose ?? [], { file: raw.exposeFile, rules: destinations.rules, seenAt });
  const { services, problems: serviceProblems } = readAndParseServices(raw, { rules: destinations.rules, secrets: context.secrets.secrets, machineCpus: machine.cpus, hasWorkspace: mode !== 'none' });
  const { volumes, problems: volumeProblems } = parseVolumes(raw.volumes ?? [], { directory: context.host?.volumesDirectory ?? null, workspacePath: shown.workspacePath, layout: raw.volumes?.length ? shown.layout() : null });
  problems.push(...certificateProblems, ...volumeProblems, ...exposeProblems, ...serviceProblems);
  const command = take<Command>('run', parseCommand(raw, { ofRunner }), { kind: 'argv', argv: [] });
  const workingDirectory = raw.workingDirectory
    ? take('working-directory', checkWorkingDirectory(raw.workingDirectory, { workspacePath: mode === 'none' ? null : workspacePath }), null)
    : null;
  const clash = Object.keys(env.env).find((name) => context.secrets.secrets.some((secret) => secret.name === name));
  if (clash !== undefined) problems.push(`env: \`${clash}\` is also the name of a secret: give one of them another name`);
  problems.push(...findRealValues({ env: env.env, command }, context.secrets.secrets));
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    warnings: [
      ...context.host?.warnings ?? [], ...destinations.warnings, ...quotedSecretWarnings(context.secrets.secrets),
      ...memoryWarnings(raw.memory, { memoryBytes: limits.memoryBytes, machineBytes: machine.memoryBytes }),
    ],
    config: {
      command, image, mode: policyMode, rules: destinations.rules, secrets: context.secrets.secrets, foreignCredentials, resolve: destinations.resolve, clientCertificates,
      env: env.env, limits, proxyLimits: proxyLimits.limits,
      workspace: { mode, path: workspacePath }, volumes, snapshotFrom: snapshots.from, snapshotTo: snapshots.to, workingDirectory, user, runtime, failOnBlocked,
      ...(expose.requests.length > 0 ? { expose } : {}), ...(services.length > 0 ? { services } : {}),
    },
  };
}

/** Those of a policy file, and those of the input; one of the same name there takes the other's place. */
function readAndParseServices({ services = [], servicesText = '', servicesFile }: RawInputs, context: ServicesContext): ReturnType<typeof parseServices> {
  const isGiven = servicesText.trim() !== '';
  const read = isGiven ? readServicesText(servicesText, servicesFile) : { services: [], problems: [] };
  if (isGiven && servicesFile !== undefined && read.services.length + read.problems.length === 0) read.problems.push(`--services: ${quote(servicesFile)} is empty: write a list of services into it`);
  const parsed = parseServices([...services.filter(({ name }) => !read.services.some((other) => other.name === name)), ...read.services], context);
  return { services: parsed.services, problems: [...read.problems, ...parsed.problems] };
}

/** A value in the file is one that the repository gives to everybody. Of secrets it may bind nothing is said where it could not be read. */
function policyProblems({ policy: named }: RawInputs, { policy, secrets }: InputContext): string[] {
  if (policy === undefined) return [...secrets.problems, ...(named ? [`policy: ${quote(named)} was not read: read it with loadPolicy, and hand what that gives to parseInputs`] : [])];
  const ofSecrets = policy.problems.length === 0 ? secrets.problems : secrets.problems.filter((problem) => !/ is bound to no host|^--secret names no host/.test(problem));
  const held = secrets.secrets.filter(({ value }) => policy.text.includes(value)).map(({ name }) => `policy: ${quote(named ?? '')} holds the real value of secret ${quote(name)}: remove it there, and change the credential`);
  return [...policy.problems, ...ofSecrets, ...held];
}

/** Not about the default, which a machine sold as one of 4 GB just misses. */
function memoryWarnings(text: string | undefined, { memoryBytes, machineBytes }: { memoryBytes: number; machineBytes: number }): string[] {
  if (!text || memoryBytes <= machineBytes) return [];
  return [`memory: ${quote(text)} is more than this machine has: write \`${Math.floor(machineBytes / MIB)}m\` or less, or the machine runs out before the cap is reached`];
}

type Result<T> = { ok: true; value: T } | { ok: false; problem: string };

/** The engine refuses more than the machine has. The default is no more than that; a number that was asked for is not changed. */
function parseCpus(text: string | undefined, available: number): Result<number> {
  if (!text) return { ok: true, value: Math.min(DEFAULT_CPUS, available) };
  const number = singleValues.cpus(text);
  if (!number.ok || number.value <= available) return number;
  return { ok: false, problem: `${quote(text)} is more than this machine has, ${available} CPU${available === 1 ? '' : 's'}: write \`${available}\` or less` };
}

function parseCommand(raw: RawInputs, { ofRunner }: { ofRunner: boolean }): Result<Command> {
  const hasScript = raw.run !== undefined && raw.run.trim() !== '';
  const hasCommand = raw.command !== undefined && raw.command.length > 0;
  if (hasScript && hasCommand) return { ok: false, problem: 'both a script and a command are given: give one of them' };
  if (hasCommand) {
    if (raw.shell) return { ok: false, problem: `a command is run without a shell, but shell is ${quote(raw.shell)}: leave it out or give a script` };
    return { ok: true, value: { kind: 'argv', argv: raw.command ?? [] } };
  }
  if (!hasScript) {
    const remedy = raw.command === undefined ? 'give the script as `run:`' : 'give a command after `--`, as in `decoy run -- make test`, or a script with `--script FILE`';
    return { ok: false, problem: `nothing to run: ${remedy}` };
  }
  return parseScript(raw.run as string, { shell: raw.shell || '', ofRunner });
}

/** Which shells an image has is known only once the engine has it. */
function parseScript(text: string, { shell, ofRunner }: { shell: string; ofRunner: boolean }): Result<Command> {
  const parse = (hasBash: boolean) => parseShell(shell, { scriptPath: SCRIPT_PATH, hasBash });
  const first = parse(!ofRunner || fs.existsSync('/bin/bash'));
  if (!first.ok) return first;
  const fallback = ofRunner || shell.trim() !== '' ? null : parse(false);
  return { ok: true, value: { kind: 'script', text, shell: first.value, ...(fallback?.ok ? { fallbackShell: fallback.value } : {}) } };
}
