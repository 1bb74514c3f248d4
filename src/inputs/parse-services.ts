import type { Rule } from '../policy/policy.ts';
import { quote } from '../policy/quote.ts';
import { parseReference } from '../sandbox/image/parse-reference.ts';
import type { SecretBinding } from '../secrets/secret.ts';
import type { ServiceRequest } from '../services/service-request.ts';
import { findRealValues } from './find-real-values.ts';
import { parseChoice } from './parse-choice.ts';
import { parseDuration } from './parse-duration.ts';
import { parseEnv } from './parse-env.ts';
import { ownPort } from './parse-expose.ts';
import { parseNumber } from './parse-number.ts';
import { parseSize } from './parse-size.ts';
import type { RawService } from './raw-inputs.ts';

export type ServicesContext = { rules: readonly Rule[]; secrets: readonly SecretBinding[]; machineCpus: number; hasWorkspace: boolean };

const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const RESERVED = ['localhost', 'sandbox', 'gateway'];
const MOST_SERVICES = 8;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Checks the services; all problems at once. */
export function parseServices(raw: readonly RawService[], context: ServicesContext): { services: ServiceRequest[]; problems: string[] } {
  const problems: string[] = [];
  const services = raw.map((service, index) => {
    const name = service.name || `number ${index + 1}`;
    return parseService(service, { ...context, say: (problem, key = '') => void problems.push(`${placeOf(service, key)}: service ${quote(name)}: ${problem}`) });
  });
  const twice = raw.find(({ name }, index) => name !== '' && raw.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) problems.push(`${placeOf(twice, 'name')}: service ${quote(twice.name)} is the name of two: give each one of its own`);
  const port = ({ health }: ServiceRequest) => (health.kind === 'port' && health.port > 0 ? health.port : null);
  services.forEach((service, index) => {
    if (port(service) === null || services.findIndex((other) => port(other) === port(service)) === index) return;
    problems.push(`${placeOf(raw[index]!, 'health-port')}: service ${quote(service.name)}: health-port: ${port(service)} is another service's, too, and all share one network: have one listen elsewhere, or write \`health-command\``);
  });
  if (raw.length > MOST_SERVICES) problems.push(`${raw[MOST_SERVICES]!.where}: services: ${raw.length} are too many: give at most ${MOST_SERVICES}`);
  return { services, problems };
}

type Context = ServicesContext & { say(problem: string, key?: string): void };

function placeOf({ where, places = {} }: RawService, key: string): string {
  return places[key] ?? where;
}

function parseService(raw: RawService, context: Context): ServiceRequest {
  const { say, machineCpus } = context;
  const take = <T>(name: string, result: { ok: true; value: T } | { ok: false; problem: string }, fallback: T): T => {
    if (result.ok) return result.value;
    say(`${name}: ${result.problem}`, name);
    return fallback;
  };
  const sayMissing: Context['say'] = raw.isPartial ? () => undefined : say;
  if (raw.name === '') sayMissing('it has no name: write `name:`');
  else if (!NAME.test(raw.name) || RESERVED.includes(raw.name)) say(`its name ${quote(raw.name)} cannot be one of a host: write a small letter, then small letters, digits and \`-\`, at most 32 in all, and none of ${RESERVED.map((name) => quote(name)).join(', ')}`, 'name');
  const image = raw.image === undefined ? null : parseReference(raw.image.trim());
  if (raw.image === undefined) sayMissing('it has no image: write `image:`');
  else if (image === null) say(`image: ${quote(raw.image)} is not the reference of an image: write one like \`postgres:17\``, 'image');
  const env = parseEnv(raw.env ?? []);
  for (const problem of env.problems) say(problem, 'env');
  const words = [...raw.entrypoint ?? [], ...raw.command ?? [], ...raw.healthCommand ?? []];
  findRealValues({ env: env.env, command: { kind: 'argv', argv: words } }, context.secrets).forEach((problem) => say(problem.replace(/: (leave it out|let the code)[^]*$/, ': a service gets no secrets, give it a password of its own that is none')));
  if (raw.workspace === 'read-only' && !context.hasWorkspace) say('it asks for the workspace, but `workspace: none` holds for the run: leave one of them out', 'workspace');
  const cpus = raw.cpus === undefined ? { ok: true as const, value: Math.min(1, machineCpus) } : parseNumber(raw.cpus, { min: 0.1, max: machineCpus, whole: false, example: Math.min(1, machineCpus) });
  return {
    name: raw.name,
    image: image ?? { text: '', registry: '', repository: '', version: '' },
    env: env.env,
    entrypoint: given(raw.entrypoint, 'entrypoint', sayMissing), command: raw.command ?? null,
    health: parseHealth(raw, { ...context, sayMissing }),
    healthSeconds: take('health-timeout', parseDuration(raw.healthTimeout ?? '60s', { minSeconds: 1, maxSeconds: 600 }), 0),
    limits: {
      memoryBytes: take('memory', parseSize(raw.memory ?? '512m', { minBytes: 32 * MIB, maxBytes: 1024 * GIB }), 0),
      cpus: take('cpus', cpus, 0),
      pids: take('pids', parseNumber(raw.pids ?? '512', { min: 16, max: 1_000_000, whole: true, example: 512 }), 0),
      storageBytes: take('storage', parseSize(raw.storage ?? '2g', { minBytes: 64 * MIB, maxBytes: 1024 * GIB }), 0),
    },
    workspace: take('workspace', parseChoice(raw.workspace ?? 'none', ['none', 'read-only'] as const), 'none'),
  };
}

function given(words: string[] | undefined, name: string, say: Context['say']): readonly string[] | null {
  if (words?.length === 0) say(`${name} is empty: write it, or leave it out`, name);
  return words ?? null;
}

function parseHealth({ healthPort, healthCommand }: RawService, { rules, say, sayMissing }: Context & { sayMissing: Context['say'] }): ServiceRequest['health'] {
  if (healthPort !== undefined && healthCommand !== undefined) say('it has both `health-port` and `health-command`: write one of them', 'health-command');
  if (healthCommand !== undefined) {
    if (healthCommand.length === 0) sayMissing('health-command is empty: write one, or `health-port`', 'health-command');
    return { kind: 'command', argv: healthCommand };
  }
  if (healthPort === undefined) {
    sayMissing('nothing tells when it is up: write `health-port: 5432`, the port it listens on, or `health-command: pg_isready`');
    return { kind: 'port', port: 0 };
  }
  const port = parseNumber(healthPort, { min: 1, max: 65_535, whole: true, example: 5432 });
  if (!port.ok) say(`health-port: ${port.problem}`, 'health-port');
  const own = port.ok ? ownPort(port.value, rules) : null;
  if (own !== null) say(`health-port: ${quote(healthPort)} ${own}`, 'health-port');
  return { kind: 'port', port: port.ok ? port.value : 0 };
}
