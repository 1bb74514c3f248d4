import { parseHostPattern } from '../policy/parse-host-pattern.ts';
import type { HostPattern } from '../policy/policy.ts';
import { quote } from '../policy/quote.ts';
import { unreachableHost } from '../policy/unreachable-host.ts';
import { secretProblems } from '../secrets/check-secret.ts';
import type { SecretBinding } from '../secrets/secret.ts';
import { parsePins } from './parse-pins.ts';
import { reservedNameProblem } from './reserved-names.ts';
import { bindSecret, splitSecret, type SecretBindings, type SplitSecret } from './split-secret.ts';

export type ParsedSecrets = { secrets: SecretBinding[]; problems: string[] };

/**
 * Parses the `secrets` input: `NAME@host[,host…][;in=PLACE[,PLACE…]][;max=N]=value` lines and GitHub's heredoc form `NAME@host<<EOF`.
 * Without hosts where a policy file binds the name. Problems name the secret or the line's number, never the line: it may hold a value.
 */
export function parseSecretLines(text: string, bindings: SecretBindings = NO_BINDINGS): ParsedSecrets {
  const parsed: ParsedSecrets = { secrets: [], problems: [] };
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] as string).trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const split = splitSecret(line);
    if (split !== null && split.rest === null && split.options.length > 0 && split.options.every(([option]) => option === 'in' || option === 'max')) {
      parsed.problems.push(`secrets: line ${index + 1} ends with an option, and has no value: the first \`=\` behind the options begins it, as in \`NAME@host;max=2=value\``);
      continue;
    }
    if (/^-\s/.test(line)) {
      parsed.problems.push(`secrets: line ${index + 1} is an item of a list: write \`NAME@host=value\`, without the hyphen`);
      continue;
    }
    if (split === null || split.rest === null) {
      parsed.problems.push(`secrets: line ${index + 1} is not \`NAME@host=value\` or \`NAME@host;in=PLACE=value\`: write the name, the host it may go to and the value`);
      continue;
    }
    const { name, rest: { operator, text: rest } } = split;
    let value = rest;
    if (operator === '<<') {
      const end = lines.indexOf(rest.trim(), index + 1);
      if (end < 0 || rest.trim() === '') {
        parsed.problems.push(`secrets: \`${name}\` on line ${index + 1} begins a heredoc that never ends: close it with a line of only ${quote(rest.trim() || 'EOF')}`);
        break;
      }
      value = lines.slice(index + 1, end).join('\n');
      index = end;
    }
    addSecret(parsed, { ...bindSecret(split, bindings), value });
  }
  return withoutDuplicates(parsed);
}

const NO_BINDINGS: SecretBindings = new Map();

/** Parses `--secret NAME@host[,host…][;in=PLACE[,PLACE…]][;max=N]`; the value is that of Decoy's own environment variable NAME. */
export function parseSecretOptions(options: readonly string[], environment: Readonly<Record<string, string | undefined>>, bindings: SecretBindings = NO_BINDINGS): ParsedSecrets {
  const parsed: ParsedSecrets = { secrets: [], problems: [] };
  for (const option of options) {
    const split = splitSecretOption(option);
    if (!split.ok) {
      parsed.problems.push(split.problem);
      continue;
    }
    const bound = bindSecret(split.value, bindings);
    const { name } = bound;
    // "constructor" is in every object, and no variable.
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value !== undefined) addSecret(parsed, { ...bound, value });
    else parsed.problems.push(...unsetProblems(bound));
  }
  return withoutDuplicates(parsed);
}

/** What is wrong with the hosts is told as well. The name is quoted only where it is plainly one: it may be the value itself. */
function unsetProblems(split: SplitSecret): string[] {
  const { name, hosts, options } = split;
  if (hosts === undefined) return ['--secret names no host, and no variable that is set: write `NAME@api.example.com`, and set NAME for Decoy itself'];
  const [, bare = ''] = /^\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?$/.exec(name) ?? [];
  if (bare !== '') return [`--secret ${quote(name)}: the name of a variable stands without \`$\`: write \`${bare}\``];
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return ['--secret: what stands before the `@` is not the name of a variable: write `NAME@api.example.com`, and set NAME for Decoy itself'];
  const problems = [`--secret \`${name}\`: the environment variable ${name} is not set; set it for Decoy itself`];
  parseHosts(split, problems);
  return [...nameProblems(name), ...problems, ...parsePins(name, options).problems];
}

/** What a secret is called and where it may go, without the value. */
export type NamedSecret = Omit<SecretBinding, 'value'>;

/** Parses the same without the value; those of a policy file are all there, named or not. */
export function parseSecretBindings(options: readonly string[], ofFile: SecretBindings = NO_BINDINGS): { bindings: NamedSecret[]; problems: string[] } {
  const problems: string[] = [];
  const bindings: NamedSecret[] = [];
  const splits = options.flatMap((option) => {
    const split = splitSecretOption(option);
    if (split.ok) return [bindSecret(split.value, ofFile)];
    problems.push(split.problem);
    return [];
  });
  const named = new Set(splits.map(({ name }) => name));
  const others = [...ofFile.keys()].filter((name) => !named.has(name)).map((name) => bindSecret({ name, hosts: undefined, options: [], rest: null }, ofFile));
  for (const split of [...splits, ...others]) {
    const { hostTexts, patterns } = parseHosts(split, problems);
    const { pins, problems: pinProblems } = parsePins(split.name, split.options);
    problems.push(...nameProblems(split.name), ...pinProblems);
    bindings.push({ name: split.name, hosts: patterns, hostTexts, ...(pins === undefined ? {} : { pins }) });
  }
  return { bindings, problems: [...problems, ...duplicates(bindings)] };
}

/** The problem never quotes what may be a value. */
function splitSecretOption(option: string): { ok: true; value: SplitSecret } | { ok: false; problem: string } {
  const split = splitSecret(option);
  if (split !== null && split.rest === null) return { ok: true, value: split };
  const problem = optionProblem(option);
  if (problem !== null) return { ok: false, problem: `--secret ${problem}` };
  return { ok: false, problem: `--secret ${split === null ? '' : `\`${split.name}\` `}must be \`NAME@host[,host][;in=PLACE[,PLACE]][;max=N]\` without a value: arguments can be read by every process; put the value into the environment variable NAME` };
}

/** What is plainly a slip in the options; null where a value may have been meant. */
function optionProblem(option: string): string | null {
  const [, name = '', rest = ''] = /^([A-Za-z_][A-Za-z0-9_]*)@[^=<;]*;(.*)$/s.exec(option) ?? [];
  for (const part of rest.split(';').map((text) => text.trim())) {
    if (part === 'in' || part === 'max') return `\`${name}\`: ${quote(`;${part}`)} says nothing: write ${quote(part === 'in' ? ';in=header:x-token' : ';max=2')}, or leave it out`;
    const [, kind] = /^in=(?:.*,)?\s*(header|query|body)=/.exec(part) ?? [];
    if (kind !== undefined) return `\`${name}\`: ${quote(`${kind}=`)} is not how a place begins: write a colon, as in ${quote(`;in=${kind}:${EXAMPLES[kind as keyof typeof EXAMPLES]}`)}`;
  }
  return null;
}

const EXAMPLES = { header: 'x-token', query: 'key', body: 'auth.token' };

function addSecret(parsed: ParsedSecrets, { name, hosts, options, value }: SplitSecret & { value: string }): void {
  const problems = [...nameProblems(name), ...secretProblems({ name, value })];
  const { hostTexts, patterns } = parseHosts({ name, hosts }, problems);
  const pins = parsePins(name, options);
  problems.push(...pins.problems);
  if (problems.length > 0) parsed.problems.push(...problems);
  else parsed.secrets.push({ name, hosts: patterns, hostTexts, value, ...(pins.pins === undefined ? {} : { pins: pins.pins }) });
}

function nameProblems(name: string): string[] {
  const problem = reservedNameProblem(name);
  return problem === null ? [] : [problem];
}

function parseHosts({ name, hosts }: Pick<SplitSecret, 'name' | 'hosts'>, problems: string[]): { hostTexts: string[]; patterns: HostPattern[] } {
  const hostTexts = (hosts ?? '').split(',').map((host) => host.trim()).filter((host) => host !== '');
  if (hostTexts.length === 0) {
    problems.push(`secret \`${name}\` is bound to no host: write \`${name}@api.example.com\`, or bind it in the file \`policy\` names`);
  }
  const patterns = hostTexts.flatMap((host) => {
    const pattern = parseHostPattern(host);
    const problem = pattern.ok ? unreachableHost(pattern.value.name) : pattern.problem;
    if (problem !== null) problems.push(`secret \`${name}\`: ${problem}`);
    return pattern.ok && problem === null ? [pattern.value] : [];
  });
  return { hostTexts, patterns };
}

function withoutDuplicates(parsed: ParsedSecrets): ParsedSecrets {
  return { ...parsed, problems: [...parsed.problems, ...duplicates(parsed.secrets)] };
}

function duplicates(secrets: readonly { name: string }[]): string[] {
  const names = secrets.map((secret) => secret.name);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  return [...twice].map((name) => `secret \`${name}\` is given twice: name its hosts in one line, separated by commas`);
}
