import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import { parseArguments, type OptionSpec } from './cli-arguments.ts';
import type { ResultFiles } from './cli-result-files.ts';
import type { RawInputs } from './inputs/raw-inputs.ts';
import { quote } from './policy/quote.ts';

export type RunArguments = {
  help: boolean;
  raw: RawInputs;
  secretOptions: string[];
  files: ResultFiles;
  quiet: boolean;
  timings: boolean;
  problems: string[];
};

const flag: OptionSpec = { takes: 'nothing' };
const one = (example: string): OptionSpec => ({ takes: 'one', example });
const many = (example: string): OptionSpec => ({ takes: 'many', example });

/** Options of `decoy run`: one for each input of the action, and where the files go. */
const OPTIONS = {
  allow: many('api.example.com'), secret: many('NAME@api.example.com'), env: many('NAME=value'), resolve: many('db.example.com:443:10.0.0.5'),
  'client-certificate': many('api.example.com=cert.pem,key.pem'), 'proxy-limit': many('connections=256'),
  shell: one('bash'), script: one('FILE'), timeout: one('30m'), memory: one('4g'), cpus: one('2'), storage: one('10g'), pids: one('2048'),
  workspace: one('copy'), 'working-directory': one('DIRECTORY'), user: one('runner'), runtime: one('runsc'), 'foreign-credentials': one('block'), 'fail-on-blocked': flag,
  report: one('FILE'), 'audit-log': one('FILE'), patch: one('FILE'), html: one('FILE'), quiet: flag, timings: flag,
  image: one('debian:12'), volume: many('cache:/cache'), policy: one('.github/decoy.yml'), mode: one('observe'), 'snapshot-from': one('NAME'), 'snapshot-to': one('NAME'),
  expose: many('8080'), 'expose-file': one('FILE'), services: one('services.yml'), 'service-log': one('FILE'),
} as const satisfies Record<string, OptionSpec>;

/** Never throws: everything that is wrong is in `problems`, and the rest is read all the same. */
export function parseRunArguments(args: readonly string[]): RunArguments {
  const { help, values, words, command, problems } = parseArguments(args, { verb: 'run', options: OPTIONS });
  refuseOtherBytes(args, problems);
  const [word] = words;
  if (word !== undefined) problems.push(`${quote(word)} is not an option: put the command after \`--\`, as in ${quote(`decoy run -- ${words.join(' ')}`)}`);
  const last = (name: keyof typeof OPTIONS) => values[name]?.at(-1);
  const script = last('script');
  const services = last('services');
  return {
    help,
    raw: {
      command: command ?? words, run: script === undefined ? undefined : readText('script', script, { problems, fallback: ':' }),
      allow: values.allow, foreignCredentials: last('foreign-credentials'), env: values.env, resolve: values.resolve,
      clientCertificates: values['client-certificate'], proxyLimits: values['proxy-limit'], volumes: values.volume,
      shell: last('shell'), image: last('image'), policy: last('policy'), timeout: last('timeout'), memory: last('memory'), cpus: last('cpus'),
      storage: last('storage'), pids: last('pids'), workspace: last('workspace'), workingDirectory: last('working-directory'), user: last('user'),
      runtime: last('runtime'), snapshotFrom: last('snapshot-from'), snapshotTo: last('snapshot-to'), mode: last('mode'),
      expose: values.expose, exposeFile: last('expose-file'), servicesText: services === undefined ? undefined : readText('services', services, { problems, fallback: '' }), servicesFile: services,
      failOnBlocked: values['fail-on-blocked'] === undefined ? undefined : 'true',
    },
    secretOptions: values.secret ?? [],
    files: { script, report: last('report'), 'audit-log': last('audit-log'), patch: last('patch'), html: last('html'), services, 'service-log': last('service-log') },
    quiet: values.quiet !== undefined,
    timings: values.timings !== undefined,
    problems,
  };
}

/** Node has put U+FFFD in place of what is no UTF-8, and what it was is lost: /proc/self/cmdline has the bytes (proc_pid_cmdline(5)). */
function refuseOtherBytes(args: readonly string[], problems: string[]): void {
  const changed = args.findIndex((arg) => arg.includes('\ufffd'));
  if (changed === -1 || isUtf8(fs.readFileSync('/proc/self/cmdline'))) return;
  // Not quoted: it may be a secret.
  problems.push(`argument ${changed + 1} of \`decoy run\` has bytes that are not UTF-8, and would reach the command with others in their place: write it in UTF-8, or have a script of the workspace make it`);
}

/** Undefined with a problem would be a second one, "nothing to run": an unreadable script stands for one that does nothing. */
function readText(option: 'script' | 'services', file: string, { problems, fallback }: { problems: string[]; fallback: string }): string {
  try {
    const bytes = fs.readFileSync(file);
    const text = bytes.toString();
    if (!isUtf8(bytes)) problems.push(`--${option}: ${quote(file)} is not UTF-8: save it as that`);
    else if (text.trim() === '') problems.push(`--${option}: ${quote(file)} is empty: write ${option === 'script' ? 'the script' : 'a list of services'} into it`);
    else return text;
  } catch (error) {
    problems.push(`--${option}: cannot read ${quote(file)} (${(error as NodeJS.ErrnoException).code}): give the path of a readable file`);
  }
  return fallback;
}
