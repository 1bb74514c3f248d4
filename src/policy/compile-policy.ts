import type { Endpoint, HostPattern, HttpRule, Policy, Question, Rule, TcpRule, Verdict } from './policy.ts';
import { coversPath } from './covers-path.ts';
import { coversPort, coversPortOfEither } from './covers-port.ts';
import { isHostName } from './normalise-host.ts';
import { normalisePath } from './normalise-path.ts';
import { createPathIndex, type PathIndex } from './path-index.ts';
import { quote } from './quote.ts';
import { renderRemedy, renderTcpRemedy } from './render-remedy.ts';

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
 * A `tcp://` rule holds for what no HTTP rule and no binding covers: where both do, the connection is judged as HTTP, which is stricter.
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
    decideTcp: (endpoint) => decideTcp(groupsFor(index, endpoint.host), endpoint),
    couldAllow: (name) => groupsFor(index, name).length > 0,
    couldReach: ({ host, port }) => groupsFor(index, host).some((group) => reaches(group, port) || group.tcpRules.some((rule) => rule.port === port)),
    ports: [...new Set([80, 443, ...rules.flatMap((rule) => rule.port ?? [])])].sort((a, b) => a - b),
    addresses: [...new Set(hosts.filter((host) => host.kind === 'address').map((host) => host.name))],
  };
}

/** All that one host pattern permits. */
type Group = { rules: HttpRule[]; byPath: PathIndex; tcpRules: TcpRule[]; secrets: string[] };

function addRule(group: Group, rule: Rule): void {
  if (rule.kind === 'tcp') return void group.tcpRules.push(rule);
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
  const group = groups.get(name) ?? { rules: [], byPath: createPathIndex(), tcpRules: [], secrets: [] };
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
  if (groups.length === 0) return refuse('host-not-allowed', { groups, question });
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
  // Of the rules that lack the method, one that has the path is nearer than any other.
  const rule = closest.reason === 'method-not-allowed' ? groups.flatMap((group) => group.byPath.candidates(path)).find((candidate) => coversPort(candidate, question) && ruleCoversPath(candidate, path)) : undefined;
  return refuse(closest.reason, { groups, question, rule: rule ?? closest.rule });
}

function covers(rule: HttpRule, { question, path }: { question: Question; path: string | null }): boolean {
  return coversPort(rule, question) && coversMethod(rule, question) && ruleCoversPath(rule, path);
}

function ruleCoversPath(rule: HttpRule, path: string | null): boolean {
  return rule.path === null || (path !== null && coversPath(rule.path, path));
}

function decideTcp(groups: readonly Group[], endpoint: Endpoint): Verdict {
  const { port } = endpoint;
  const stricter = groups.find((group) => reaches(group, port));
  if (stricter) return { allowed: false, reason: 'unsupported-protocol', remedy: onlyHttp(stricter, endpoint) };
  for (const { tcpRules } of groups) {
    const rule = tcpRules.find((candidate) => candidate.port === port);
    if (rule) return { allowed: true, rule: rule.text };
  }
  return { allowed: false, reason: groups.length === 0 ? 'host-not-allowed' : 'port-not-allowed', remedy: renderTcpRemedy(endpoint) };
}

function onlyHttp({ rules, secrets }: Group, { host, port }: Endpoint): string {
  const rule = rules.find((candidate) => coversPortOfEither(candidate, port));
  const cause = rule ? `the rule ${quote(rule.text)}` : `secret ${quote(secrets[0]!)}`;
  return `${cause} makes ${quote(`${host}:${port}`)} a place of HTTP, and nothing else passes there: use another port for raw TCP`;
}

type Miss = { reason: MissReason; rule?: HttpRule };
type MissReason = 'port-not-allowed' | 'method-not-allowed' | 'path-not-allowed';

/** Asked once no rule covers the request: one that has its port and its method lacks the path. */
function closestMiss(rules: readonly HttpRule[], question: Question): Miss {
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
function coversMethod(rule: HttpRule, { method }: Question): boolean {
  return rule.methods === null || rule.methods.includes(method);
}

const bindingTarget = { scheme: 'https', port: 443 } as const;

function isBindingTarget({ scheme, port }: Question): boolean {
  return scheme === bindingTarget.scheme && port === bindingTarget.port;
}

function reaches(group: Group, port: number): boolean {
  if (group.secrets.length > 0 && port === bindingTarget.port) return true;
  return group.rules.some((rule) => coversPortOfEither(rule, port));
}

type Refused = { groups: readonly Group[]; question: Question; rule?: HttpRule | undefined };

function refuse(reason: MissReason | 'host-not-allowed', { groups, question, rule }: Refused): Verdict {
  const near = {
    secret: groups.flatMap(({ secrets }) => secrets)[0] ?? null,
    hasHttps: groups.some(({ rules }) => rules.some((other) => coversPort(other, bindingTarget))),
    tcpRule: groups.flatMap(({ tcpRules }) => tcpRules).find(({ host, port }) => port === question.port && host.name === question.host) ?? null,
  };
  return { allowed: false, reason, remedy: renderRemedy(reason, { question, rule: rule ?? null, near }) };
}
