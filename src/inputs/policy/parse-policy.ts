import { isUtf8 } from 'node:buffer';
import { parseHostPattern } from '../../policy/parse-host-pattern.ts';
import { quote } from '../../policy/quote.ts';
import { unreachableHost } from '../../policy/unreachable-host.ts';
import { parsePlaces } from '../../secrets/parse-place.ts';
import { nearest } from '../nearest.ts';
import { parseCertificateHost } from '../parse-client-certificates.ts';
import { parseEnv } from '../parse-env.ts';
import { parsePins } from '../parse-pins.ts';
import { parseProxyLimits } from '../parse-proxy-limits.ts';
import type { RawInputs } from '../raw-inputs.ts';
import { singleValues } from '../single-values.ts';
import type { SecretHosts } from '../split-secret.ts';
import { judgeLists } from './judge-lists.ts';
import { mergeInputs } from './merge-inputs.ts';
import { ELSEWHERE, FILE_KEYS, LIMIT_KEYS, LIST_KEYS, PROFILE_KEYS, SCALAR_KEYS, SECRET_KEYS } from './policy-keys.ts';
import { readServices } from './read-services.ts';
import { locateProblems, type Origin } from './locate-problem.ts';
import { openYaml, type Entry, type YamlReader } from './yaml-reader.ts';

export type PolicyFile = {
  inputs: RawInputs;
  /** the hosts and places of secrets, by name; never a value */
  bindings: ReadonlyMap<string, SecretHosts>;
  origins: Origin[];
};

/** `value` of a file that is refused is what could be read of it: it only serves to tell what else is wrong. */
export type ParsedPolicy = { ok: true; value: PolicyFile } | { ok: false; problems: string[]; value: PolicyFile };

/** A policy file is read by people. */
export const MAX_POLICY_BYTES = 64 * 1024;

/**
 * Parses the text of a policy file, all of its profiles included, and gives what holds for `profile`: lists of the file and of the profile are united, of single
 * values the profile's holds. Everything that is wrong is told at once, a sentence each with file, line and column.
 */
export function parsePolicy(bytes: Buffer, { file, profile }: { file: string; profile: string | null }): ParsedPolicy {
  const refuse = (problem: string): ParsedPolicy => ({ ok: false, problems: [`policy: ${quote(file)} ${problem}`], value: emptyFile() });
  if (bytes.length > MAX_POLICY_BYTES) return refuse(`is larger than ${MAX_POLICY_BYTES / 1024} KiB: keep in it what differs from run to run, and use wildcards for long lists`);
  const text = bytes.toString('utf8');
  if (!isUtf8(bytes)) return refuse('is not UTF-8 text: save it as such');
  const yaml = openYaml(text, file);
  const base = emptyFile();
  const profiles = new Map<string, Profile>();
  if (yaml.root === null && yaml.problems.length === 0) return refuse('is empty: write `allow:` and the like into it, or leave `policy` out');
  for (const entry of yaml.root === null ? [] : yaml.entries(yaml.root, { name: 'a policy file', keys: FILE_KEYS, elsewhere: ELSEWHERE })) {
    if (entry.key === 'version') readVersion(entry, yaml);
    else if (entry.key === 'profiles') readProfiles(entry, { yaml, profiles });
    else readEntry(entry, { yaml, into: base });
  }
  const withLists = [...profiles.values()].filter(({ read }) => LISTS.some((name) => read.inputs[name] !== undefined)).map(({ read, at }) => ({ read: unite(base, read), at }));
  if (!yaml.isBroken) yaml.problems.push(...listProblems([{ read: base, at: yaml.root }, ...withLists], yaml));
  const picked = profile === null ? emptyFile() : profiles.get(profile)?.read;
  if (picked === undefined) yaml.problems.push(`policy: ${quote(profile!)} is not a profile of ${quote(file)}: ${profileRemedy(profile!, [...profiles.keys()])}`);
  if (yaml.problems.length === 0 && picked !== undefined) return { ok: true, value: unite(base, picked) };
  const value = yaml.isBroken || picked === undefined ? emptyFile() : unite(base, picked);
  return { ok: false, problems: yaml.problems.toSorted((a, b) => placeOf(a) - placeOf(b)), value };
}

const LISTS = [...Object.values(LIST_KEYS), 'services'] as const;

/** `at` is where it stands in the file. */
type Profile = { read: PolicyFile; at: unknown };

/** What is wrong with the lists of the file, and of each profile with them; what was told of a line is not told again. */
function listProblems(all: readonly Profile[], yaml: YamlReader): string[] {
  const problems = all.flatMap(({ read: { inputs, origins }, at }) => {
    const found = locateProblems(judgeLists(inputs), { origins, problems: yaml.problems });
    return found.map((problem) => (hasPlace.test(problem) ? problem : `${yaml.where(at)}: ${problem}`));
  });
  return [...new Set(problems)];
}

const hasPlace = /:(\d+):(\d+): /;

/** In the order of the file, whatever was looked at first. */
function placeOf(problem: string): number {
  const [, line = '0', column = '0'] = hasPlace.exec(problem) ?? [];
  return Number(line) * MAX_POLICY_BYTES + Number(column);
}

function emptyFile(): PolicyFile & { bindings: Map<string, SecretHosts> } {
  return { inputs: {}, bindings: new Map(), origins: [] };
}

function profileRemedy(profile: string, known: readonly string[]): string {
  if (known.length === 0) return 'it has none, so leave what stands behind the `#` out';
  const meant = nearest(profile, known);
  return meant === null ? `write one of ${known.map((name) => quote(name)).join(', ')}` : `write ${quote(meant)}`;
}

function readVersion({ value }: Entry, yaml: YamlReader): void {
  const text = yaml.text(value, 'version');
  if (text !== null && text !== '1') yaml.say(value, `version ${quote(text)} is not known: write \`1\``);
}

function readProfiles({ value }: Entry, { yaml, profiles }: { yaml: YamlReader; profiles: Map<string, Profile> }): void {
  for (const profile of yaml.entries(value, { name: '`profiles`' })) {
    if (!/^[A-Za-z0-9_.-]+$/.test(profile.key)) yaml.say(profile.at, `${quote(profile.key)} is no name of a profile: use letters, digits, \`.\`, \`_\` and \`-\``);
    const into = emptyFile();
    for (const entry of yaml.entries(profile.value, { name: 'a profile', keys: PROFILE_KEYS, elsewhere: ELSEWHERE })) readEntry(entry, { yaml, into });
    profiles.set(profile.key, { read: into, at: profile.at });
  }
}

const SINGLE_KEYS = { ...SCALAR_KEYS, ...LIMIT_KEYS };

type Into = { yaml: YamlReader; into: ReturnType<typeof emptyFile> };

function readEntry({ key, value }: Entry, { yaml, into }: Into): void {
  if (key in LIST_KEYS) return readLines(key as keyof typeof LIST_KEYS, value, { yaml, into });
  if (key in SCALAR_KEYS) return readScalar(key as keyof typeof SCALAR_KEYS, value, { yaml, into });
  switch (key) {
    case 'limits':
      for (const limit of yaml.entries(value, { name: '`limits`', keys: Object.keys(LIMIT_KEYS) })) readScalar(limit.key as keyof typeof LIMIT_KEYS, limit.value, { yaml, into });
      return;
    case 'env': return readEnv(value, { yaml, into });
    case 'proxy-limits': return readProxyLimits(value, { yaml, into });
    case 'client-certificates': return readCertificates(value, { yaml, into });
    case 'services':
      into.inputs = { ...into.inputs, services: readServices(value, yaml) };
      return;
    case 'secrets': return readSecrets(value, { yaml, into });
  }
}

function readScalar(name: keyof typeof SINGLE_KEYS, node: unknown, { yaml, into }: Into): void {
  const text = yaml.text(node, `\`${name}\``);
  if (text === null) return;
  if (text.trim() === '') return yaml.say(node, `\`${name}\` is empty: write a value, or leave the key out`);
  const parsed = singleValues[name](text);
  if (!parsed.ok) yaml.say(node, `${name}: ${parsed.problem}`);
  // The run has another name for it, and would tell it again.
  if (!parsed.ok && name === 'shell') return;
  into.inputs = { ...into.inputs, [SINGLE_KEYS[name]]: text };
  into.origins.push({ input: name, text, where: yaml.where(node) });
}

function readLines(name: keyof typeof LIST_KEYS, node: unknown, { yaml, into }: Into): void {
  const lines = yaml.items(node, `\`${name}\``).flatMap((item) => {
    const text = yaml.text(item, `an item of \`${name}\``);
    if (text === null) return [];
    const problems = text.trim() === '' ? [`an item of \`${name}\` is empty: remove it`] : judgeLists({ [name]: [text] });
    for (const problem of problems) yaml.say(item, problem);
    into.origins.push({ input: name, text, where: yaml.where(item) });
    return [text];
  });
  into.inputs = { ...into.inputs, [name]: [...into.inputs[name] ?? [], ...lines] };
}

function readEnv(node: unknown, { yaml, into }: Into): void {
  const lines = yaml.entries(node, { name: '`env`' }).flatMap(({ key, at, value }) => {
    const text = yaml.text(value, `the value of ${quote(key)}`, { isFree: true });
    if (text === null) return [];
    const line = `${key}=${text}`;
    for (const problem of parseEnv([line]).problems) yaml.say(at, problem);
    into.origins.push({ input: 'env', text: key, where: yaml.where(at) });
    return [line];
  });
  into.inputs = { ...into.inputs, env: lines };
}

function readProxyLimits(node: unknown, { yaml, into }: Into): void {
  const lines = yaml.entries(node, { name: '`proxy-limits`' }).flatMap(({ key, at, value }) => {
    const text = yaml.text(value, quote(key));
    if (text === null) return [];
    for (const problem of parseProxyLimits([`${key}=${text}`]).problems) yaml.say(at, problem);
    return [`${key}=${text}`];
  });
  into.inputs = { ...into.inputs, proxyLimits: lines };
}

function readCertificates(node: unknown, { yaml, into }: Into): void {
  const lines = yaml.entries(node, { name: '`client-certificates`' }).flatMap(({ key, at, value }) => {
    const files = Object.fromEntries(yaml.entries(value, { name: quote(key), keys: ['certificate', 'key'] }).map((entry) => [entry.key, yaml.text(entry.value, `\`${entry.key}\``)]));
    const { certificate = null, key: keyFile = null } = files;
    if (/[=,]/.test(key) || [certificate, keyFile].some((file) => file === null || file.trim() === '' || file.includes(','))) {
      yaml.say(at, `${quote(key)} needs \`certificate: FILE\` and \`key: FILE\`, two paths without a comma: write both`);
      return [];
    }
    const host = parseCertificateHost(key);
    if (!host.ok) yaml.say(at, `client-certificates: ${host.problem}`);
    into.origins.push({ input: 'client-certificates', text: key, where: yaml.where(at) }, ...[certificate!, keyFile!].map((text) => ({ input: 'client-certificates', text, where: yaml.where(at) })));
    return [`${key}=${certificate},${keyFile}`];
  });
  into.inputs = { ...into.inputs, clientCertificates: lines };
}

const NO_VALUES = 'a policy file never holds the value of a secret, only its `hosts`, `in` and `max`: remove it, change the credential if the file was ever pushed, and give the value as `NAME=value` in `secrets`';

/** What may be a value is never quoted. */
function readSecrets(node: unknown, { yaml, into }: Into): void {
  for (const { key, at, value } of readNames(node, yaml)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) {
      yaml.say(at, /[@=]/.test(key) ? `this is not the name of a secret alone: write the name, and below it \`hosts:\`; ${NO_VALUES}` : `${quote(key)} is not the name of a secret: use letters, digits and _, not starting with a digit`);
      continue;
    }
    const fields = readFields(value, { name: key, yaml });
    if (fields === null) continue;
    const options: [string, string][] = [];
    if (fields.in !== undefined) options.push(['in', fields.in.join(',')]);
    if (fields.max !== undefined) options.push(['max', fields.max]);
    into.bindings.set(key, { hosts: fields.hosts, options });
  }
}

function readNames(node: unknown, yaml: YamlReader): Entry[] {
  const before = yaml.problems.length;
  const entries = yaml.entries(node, { name: '`secrets`' });
  if (yaml.problems.length > before) yaml.say(node, `write each secret as \`NAME:\`, and below it \`hosts:\` with a list; ${NO_VALUES}`);
  return entries;
}

type Fields = { hosts: string[]; in?: string[]; max?: string };

function readFields(node: unknown, { name, yaml }: { name: string; yaml: YamlReader }): Fields | null {
  const before = yaml.problems.length;
  const fields: Fields = { hosts: [] };
  const entries = yaml.entries(node, { name: `secret ${quote(name)}`, keys: SECRET_KEYS, elsewhere: { value: NO_VALUES, secret: NO_VALUES, token: NO_VALUES, key: NO_VALUES, password: NO_VALUES } });
  if (yaml.problems.length > before && entries.length === 0) yaml.say(node, `secret ${quote(name)}: ${NO_VALUES}`);
  const faulty = new Set(yaml.problems.length > before && entries.length === 0 ? ['hosts'] : []);
  for (const { key, value } of entries) {
    if (key === 'max') {
      const text = yaml.text(value, '`max`');
      if (text === null) continue;
      for (const problem of parsePins(name, [['max', text]]).problems) yaml.say(value, problem);
      fields.max = text;
      continue;
    }
    const beforeItems = yaml.problems.length;
    const texts = yaml.items(value, `\`${key}\``).flatMap((item) => {
      const text = yaml.text(item, `an item of \`${key}\``)?.trim() ?? null;
      if (text === null) return [];
      for (const problem of key === 'in' ? placeProblems(text) : hostProblems(text)) yaml.say(item, `secret ${quote(name)}: ${problem}`);
      return [text];
    });
    if (key === 'in') fields.in = texts;
    else fields.hosts = texts;
    if (yaml.problems.length > beforeItems) faulty.add(key);
  }
  if (!faulty.has('hosts') && fields.hosts.length === 0) yaml.say(node, `secret ${quote(name)} is bound to no host: write \`hosts:\` and a list of one or more`);
  if (!faulty.has('in') && fields.in !== undefined) for (const problem of parsePins(name, [['in', fields.in.join(',')]]).problems) yaml.say(node, problem);
  return yaml.problems.length === before ? fields : null;
}

function placeProblems(text: string): string[] {
  const { places, problems } = parsePlaces(text);
  return places.length > 1 ? [`${quote(text)} is more than one place: write each as an item of its own`] : problems;
}

/** A line of `secrets` put here has its value behind an equals sign. */
function hostProblems(text: string): string[] {
  if (/[=@;,]/.test(text)) return [`an item of \`hosts\` is more than a host: write the host alone, each as an item of its own; ${NO_VALUES}`];
  const pattern = parseHostPattern(text);
  const problem = pattern.ok ? unreachableHost(pattern.value.name) : pattern.problem;
  return problem === null ? [] : [problem];
}

/** The other's single values hold. */
function unite(base: PolicyFile, over: PolicyFile): PolicyFile {
  const bindings = new Map(base.bindings);
  for (const [name, { hosts, options }] of over.bindings) {
    const known = bindings.get(name) ?? { hosts: [], options: [] };
    bindings.set(name, { hosts: [...new Set([...known.hosts, ...hosts])], options: [...options, ...known.options.filter(([option]) => !options.some(([given]) => given === option))] });
  }
  const overridden = (origin: Origin) => over.origins.some(({ input }) => input === origin.input) && !(origin.input in LIST_KEYS) && origin.input !== 'env' && origin.input !== 'client-certificates';
  return { inputs: mergeInputs(base.inputs, over.inputs), bindings, origins: [...base.origins.filter((origin) => !overridden(origin)), ...over.origins] };
}
