import { parseArgs } from 'node:util';
import fs from 'node:fs';
import type { RawInputs } from './inputs/raw-inputs.ts';

export type RunArguments = {
  raw: RawInputs;
  secretOptions: string[];
  report?: string | undefined;
  auditLog?: string | undefined;
  patch?: string | undefined;
  quiet: boolean;
};

const one = { type: 'string' } as const;
const many = { type: 'string', multiple: true } as const;

/** Options of `decoy run`: one for each input of the action, and where the files go. */
const OPTIONS = {
  allow: many, secret: many, env: many, resolve: many, volume: many,
  image: one, shell: one, script: one, policy: one, timeout: one, memory: one, cpus: one, storage: one, pids: one, workspace: one,
  'working-directory': one, user: one, runtime: one, 'snapshot-from': one, 'snapshot-to': one, mode: one,
  'fail-on-blocked': { type: 'boolean' }, report: one, 'audit-log': one, patch: one, quiet: { type: 'boolean' },
} as const;

/** @throws Error with one sentence for a user */
export function parseRunArguments(args: readonly string[]): RunArguments {
  const separator = args.indexOf('--');
  const own = separator < 0 ? args : args.slice(0, separator);
  const { values, positionals } = parseArgs({ args: [...own], options: OPTIONS, allowPositionals: true, strict: true });
  if (positionals.length > 0) {
    throw new Error(`${JSON.stringify(positionals[0])} is not an option: put the command after \`--\`, as in \`decoy run -- ${positionals[0]}\``);
  }
  const command = separator < 0 ? [] : args.slice(separator + 1);
  return {
    raw: {
      command: command.length > 0 ? command : undefined,
      run: values.script === undefined ? undefined : readScript(values.script),
      shell: values.shell, image: values.image, allow: values.allow, env: values.env, resolve: values.resolve, volumes: values.volume,
      policy: values.policy, timeout: values.timeout, memory: values.memory, cpus: values.cpus, storage: values.storage, pids: values.pids,
      workspace: values.workspace, workingDirectory: values['working-directory'], user: values.user, runtime: values.runtime,
      snapshotFrom: values['snapshot-from'], snapshotTo: values['snapshot-to'], mode: values.mode,
      failOnBlocked: values['fail-on-blocked'] === true ? 'true' : undefined,
    },
    secretOptions: values.secret ?? [],
    report: values.report, auditLog: values['audit-log'], patch: values.patch, quiet: values.quiet === true,
  };
}

function readScript(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`--script: cannot read ${JSON.stringify(file)} (${(error as NodeJS.ErrnoException).code}): give the path of a readable file`);
  }
}
