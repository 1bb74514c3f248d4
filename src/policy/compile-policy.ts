import type { Destination, HostPattern, Policy, Question, Rule, Verdict } from './policy.ts';
import { isHostName } from './normalise-host.ts';
import { matchPath } from './match-path.ts';
import { normalisePath } from './normalise-path.ts';
import { createPathIndex, type PathIndex } from './path-index.ts';
import { renderRemedy } from './render-remedy.ts';

/** What the policy needs of a secret: its name and the hosts it is bound to. */
export type Binding = { name: string; hosts: readonly HostPattern[] };

/**
 * Compiles rules and bindings into one lookup. A request is allowed if any rule that covers its host allows its port, method and path, or
 * by a binding: a host bound to a secret needs no rule for HTTPS on port 443.
 *
 * How both combine: a rule whose host pattern is the binding's, or narrower, and that covers HTTPS on 443, takes the binding's place for
 * the hosts it covers, so that `GET api.example.com/v1/**` narrows what the bound secret can be used for. A broader rule, or one for
 * another port, only adds.
 *
 * The host of a question must be normalised (`normaliseHost`): any other spelling matches no wildcard and is refused.
 */
export function compilePolicy({ rules, bindings }: { rules: readonly Rule[]; bindings: readonly Binding[] }): Policy {
  const index = createIndex();
  for (const rule of rules) addRule(groupFor(index, rule.host), rule);
  for (const { name, hosts } of bindings) for (const host of hosts) groupFor(index, host).secrets.push(name);
  const hosts = [...rules.map((rule) => rule.host), ...bindings.flatMap((binding) => binding.hosts)];
  return {
    decide: (question) => decide(groupsFor(index, question.host), question),
    couldAllow: (name) => groupsFor(index, name).length > 0,
    couldReach: ({ host, port }) => groupsFor(index, host).some((group) => reaches(group, port)),
    ports: [...new Set([80, 443, ...rules.flatMap((rule) => rule.port ?? [])])].sort((a, b) => a - b),
    addresses: [...new Set(hosts.filter((host) => host.kind === 'address').map((host) => host.name))],
  };
}

/** All that one host pattern permits. */
type Group = { rules: Rule[]; byPath: PathIndex; secrets: string[] };

function addRule(group: Group, rule: Rule): void {
  group.rules.push(rule);
  group.byPath.add(rule);
}

/** One map a kind of pattern: a lookup costs one `get` for the name itself and two for each name above it, whatever the number of rules. */
type Index = { exact: Map<string, Group>; oneLabel: Map<string, Group>; anyDepth: Map<string, Group> };

function createIndex(): Index {
  return { exact: new Map(), oneLabel: new Map(), anyDepth: new Map() };
}

function groupFor(index: Index, { kind, name }: HostPattern): Group {
  const groups = kind === 'one-label' ? index.oneLabel : kind === 'any-depth' ? index.anyDepth : index.exact;
  const group = groups.get(name) ?? { rules: [], byPath: createPathIndex(), secrets: [] };
  groups.set(name, group);
  return group;
}

/** The groups that cover a host, narrowest first. */
function groupsFor(index: Index, host: string): Group[] {
  const groups = [index.exact.get(host)];
  if (isHostName(host)) {
    const parent = parentOf(host);
    if (parent !== null) groups.push(index.oneLabel.get(parent));
    for (let above = parent; above !== null; above = parentOf(above)) groups.push(index.anyDepth.get(above));
  }
  return groups.filter((group) => group !== undefined);
}

function parentOf(name: string): string | null {
  const dot = name.indexOf('.');
  return dot === -1 ? null : name.slice(dot + 1);
}

function decide(groups: readonly Group[], question: Question): Verdict {
  if (groups.length === 0) return refuse('host-not-allowed', { question });
  const path = normalisePath(question.path);
  let bindingReplaced = false;
  for (const group of groups) {
    const rule = group.byPath.candidates(path).find((candidate) => covers(candidate, { question, path }));
    if (rule !== undefined) return { allowed: true, rule: rule.text };
    bindingReplaced ||= group.rules.some((rule) => coversPort(rule, bindingTarget));
    const secret = group.secrets[0];
    if (secret !== undefined && !bindingReplaced && isBindingTarget(question)) return { allowed: true, rule: `secret ${secret}` };
  }
  const closest = closestMiss(groups.flatMap((group) => group.rules), question);
  return refuse(closest.reason, { question, ...(closest.rule && { rule: closest.rule }) });
}

function covers(rule: Rule, { question, path }: { question: Question; path: string | null }): boolean {
  return coversPort(rule, question) && coversMethod(rule, question) && (rule.path === null || (path !== null && matchPath(rule.path, path)));
}

type Miss = { reason: MissReason; rule?: Rule };
type MissReason = 'port-not-allowed' | 'method-not-allowed' | 'path-not-allowed';

/** Asked once no rule covers the request: one that has its port and its method lacks the path. */
function closestMiss(rules: readonly Rule[], question: Question): Miss {
  let closest: Miss = { reason: 'port-not-allowed' };
  for (const rule of rules) {
    if (!coversPort(rule, question)) continue;
    const reason = coversMethod(rule, question) ? 'path-not-allowed' : 'method-not-allowed';
    if (closeness[reason] > closeness[closest.reason]) closest = { reason, rule };
  }
  return closest;
}

/** The further a rule got before it failed, the more likely it is the one the user thought of. */
const closeness: Record<MissReason, number> = { 'port-not-allowed': 0, 'method-not-allowed': 1, 'path-not-allowed': 2 };

/** Methods are case-sensitive (RFC 9110 section 9.1): `get` is not GET, and what an upstream makes of it is not known here. */
function coversMethod(rule: Rule, { method }: Question): boolean {
  return rule.methods === null || rule.methods.includes(method);
}

/** 443 is HTTPS and 80 plain HTTP, never the other way round, so that no rule lets a request lose its TLS; any other port is either. */
function coversPort(rule: Rule, { scheme, port }: Pick<Destination, 'scheme' | 'port'>): boolean {
  if (port === 443) return scheme === 'https' && (rule.port === null || rule.port === 443);
  if (port === 80) return scheme === 'http' && (rule.port === null || rule.port === 80);
  return port === rule.port;
}

const bindingTarget = { scheme: 'https', port: 443 } as const;

function isBindingTarget({ scheme, port }: Question): boolean {
  return scheme === bindingTarget.scheme && port === bindingTarget.port;
}

/** Before the first byte the scheme is not known: either will do. */
function reaches(group: Group, port: number): boolean {
  if (group.secrets.length > 0 && port === bindingTarget.port) return true;
  return group.rules.some((rule) => coversPort(rule, { scheme: 'https', port }) || coversPort(rule, { scheme: 'http', port }));
}

function refuse(reason: MissReason | 'host-not-allowed', { question, rule }: { question: Question; rule?: Rule }): Verdict {
  return { allowed: false, reason, remedy: renderRemedy(reason, { question, rule: rule ?? null }) };
}
