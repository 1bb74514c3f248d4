import type { Binding } from '../policy/compile-policy.ts';
import type { RefusalReason } from '../policy/policy.ts';
import type { Refusal } from './refusal-groups.ts';
import { matchesHost } from '../policy/matches-host.ts';
import { normalisePath } from '../policy/normalise-path.ts';
import { isPlainPath as isPlain } from './is-plain-path.ts';
import { isPublicHost } from './is-public-host.ts';
import { methods as nameableMethods, parseRules } from '../policy/parse-rules.ts';

/**
 * The smallest set of `allow` lines for what was refused, or in observe mode would have been, because of its host, port,
 * method or path: one line for each host and port, sorted. Never for misuse of a secret, a private address or a broken
 * connection: no allow line would or should cure those.
 *
 * A host or name that is not allowed at all gets a line of the host alone, and a port one of the host and that port; where only method or
 * path were refused, the line is as narrow as what was asked for. Plain HTTP to a host that a secret is bound to gets none: it is to use TLS. Hosts and paths are untrusted text and the lines are meant to be pasted: each one
 * parses as a rule, and what no rule can allow is left out.
 */
export function proposeAllow(refusals: readonly Refusal[], { bindings }: { bindings: readonly Binding[] } = { bindings: [] }): string[] {
  const bound = bindings.flatMap(({ hosts }) => hosts);
  const lacksTls = ({ host, port, transport }: Refusal) => transport !== 'dns' && port === 80 && bound.some((pattern) => matchesHost(pattern, host));
  const byTarget = new Map<string, Refusal[]>();
  for (const refusal of refusals) {
    const target = PROPOSED.has(refusal.reason) && !refusal.misused && !lacksTls(refusal) ? targetOf(refusal) : null;
    if (target !== null) byTarget.set(target, [...(byTarget.get(target) ?? []), refusal]);
  }
  return [...byTarget].map(([target, group]) => lineFor(target, group)).filter(isRule).sort();
}

const ABOUT_THE_REQUEST: ReadonlySet<RefusalReason> = new Set<RefusalReason>(['method-not-allowed', 'path-not-allowed']);
const PROPOSED: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  'host-not-allowed', 'name-not-allowed', 'port-not-allowed', ...ABOUT_THE_REQUEST,
]);

/** `host[:port]` as a rule writes it: without a port it means 443, and 80 for plain HTTP, both of them. Null where no rule can allow it. */
function targetOf({ host, port, transport, reason }: Refusal): string | null {
  if (!isPublicHost(host)) return null;
  if (transport === 'dns' || port === null) return host;
  if (transport === 'tcp') return null;
  const usual = transport === 'http' ? 80 : 443;
  const never = transport === 'http' ? 443 : 80;
  if (port === never) return null;
  return port === usual && reason !== 'port-not-allowed' ? host : `${host}:${port}`;
}

function lineFor(target: string, group: readonly Refusal[]): string {
  if (!group.every((refusal) => ABOUT_THE_REQUEST.has(refusal.reason))) return target;
  const methods = [...new Set(group.map((refusal) => refusal.method))];
  const areNameable = methods.every((method) => method !== null && nameableMethods.includes(method));
  return `${areNameable ? `${methods.sort().join(',')} ` : ''}${target}${commonPattern(group.map((refusal) => refusal.path))}`;
}

/** The narrowest pattern of the form `/a/b` or `/a/**` that covers all paths; empty for any. */
function commonPattern(paths: readonly (string | null)[]): string {
  const normal = [...new Set(paths.map((path) => (path === null || !isPlain(path) ? null : normalisePath(path))))];
  const [first] = normal;
  if (first === null || first === undefined) return '';
  if (normal.length === 1) return first;
  const split = normal.map((path) => path?.split('/') ?? []);
  // The last segment never counts: `/a/**` covers what is below `/a/`, not `/a` itself.
  const depth = Math.min(...split.map((segments) => segments.length - 1));
  const common = split[0]!.slice(0, Math.max(depth, 0));
  const differs = common.findIndex((segment, i) => split.some((segments) => segments[i] !== segment));
  const shared = differs < 0 ? common : common.slice(0, differs);
  return shared.length <= 1 ? '' : `${shared.join('/')}/**`;
}

function isRule(line: string): boolean {
  return parseRules([line]).problems.length === 0;
}
