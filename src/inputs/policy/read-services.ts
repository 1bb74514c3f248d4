import { isAlias, isScalar, isSeq } from 'yaml';
import type { RawService } from '../raw-inputs.ts';
import { quote } from '../../policy/quote.ts';
import { openYaml, type YamlReader } from './yaml-reader.ts';

const SCALARS = { image: 'image', 'health-port': 'healthPort', 'health-timeout': 'healthTimeout', memory: 'memory', cpus: 'cpus', pids: 'pids', storage: 'storage', workspace: 'workspace' } as const satisfies Record<string, keyof RawService>;
const KEYS = ['name', 'image', 'env', 'entrypoint', 'command', 'health-port', 'health-command', 'health-timeout', 'memory', 'cpus', 'pids', 'storage', 'workspace'];

/** Keys that GitHub's own services or Docker's command line have, with what to do here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ports: 'a service is reached on localhost, and by its name, without it; for the host name the port in `expose`: remove it here',
  options: 'write `health-command`, `memory` and the like as keys of their own',
  credentials: 'log in before, with docker/login-action or `docker login`: remove it here',
  volumes: 'a service has a disk of its own, of the size of `storage`: remove it here',
  secrets: 'a service gets no secrets: remove it here',
};

/** Reads the text of the input `services`: YAML, a list with names, or a mapping by name as GitHub's own. `file` is where it stands, for what is said of it. */
export function readServicesText(text: string, file = 'services'): { services: RawService[]; problems: string[] } {
  const yaml = openYaml(text, file);
  const services = yaml.root === null || yaml.isBroken ? [] : readServices(yaml.root, yaml);
  return { services, problems: yaml.problems };
}

/** Their values as text: what they may be is looked at where all inputs are together. */
export function readServices(node: unknown, yaml: YamlReader): RawService[] {
  if (isSeq(node)) return yaml.items(node, '`services`').map((item) => readService(item, { yaml, name: null, at: item }));
  return yaml.entries(node, { name: '`services`' }).map(({ key, at, value }) => readService(value, { yaml, name: key, at }));
}

function readService(node: unknown, { yaml, name, at }: { yaml: YamlReader; name: string | null; at: unknown }): RawService {
  const before = yaml.problems.length;
  const places: Record<string, string> = {};
  const service: RawService = { name: name ?? '', where: yaml.where(at), places };
  const keys = name === null ? KEYS : KEYS.filter((key) => key !== 'name');
  for (const { key, value } of yaml.entries(node, { name: 'a service', keys, elsewhere: ELSEWHERE })) {
    places[key] = yaml.where(value);
    // It was told where the file was opened.
    if (isAlias(value)) service.isPartial = true;
    if (key === 'name') service.name = yaml.text(value, '`name`') ?? '';
    else if (key === 'env') service.env = readEnv(value, yaml);
    else if (key === 'entrypoint' || key === 'command') service[key] = readWords(value, { yaml, name: key }) ?? [];
    else if (key === 'health-command') service.healthCommand = readHealthCommand(value, yaml) ?? [];
    else {
      const text = yaml.text(value, `\`${key}\``);
      if (text !== null) service[SCALARS[key as keyof typeof SCALARS]] = text;
    }
  }
  return yaml.problems.length > before ? { ...service, isPartial: true } : service;
}

function readEnv(node: unknown, yaml: YamlReader): string[] {
  return yaml.entries(node, { name: '`env` of a service' }).flatMap(({ key, value }) => {
    const text = yaml.text(value, `the value of ${quote(key)}`, { isFree: true });
    return text === null ? [] : [`${key}=${text}`];
  });
}

/** A list of words, or one line of them without quotes, which shells read in more than one way. */
function readWords(node: unknown, { yaml, name }: { yaml: YamlReader; name: string }): string[] | null {
  if (!isScalar(node)) return yaml.items(node, `\`${name}\``).flatMap((item) => yaml.text(item, `an item of \`${name}\``, { isFree: true }) ?? []);
  const text = yaml.text(node, `\`${name}\``);
  if (text === null) return null;
  if (!/["'\\$`|&;<>*?]/.test(text)) return text.trim().split(/\s+/).filter((word) => word !== '');
  yaml.say(node, `\`${name}\` holds quotes or other characters of a shell: write it as a list of words, [redis-server, --save, ""]`);
  return null;
}

/** A line is for the image's shell, as with Docker's --health-cmd. */
function readHealthCommand(node: unknown, yaml: YamlReader): string[] | null {
  if (!isScalar(node)) return readWords(node, { yaml, name: 'health-command' });
  const text = yaml.text(node, '`health-command`');
  return text === null ? null : ['/bin/sh', '-c', text];
}
