import type { RefusalReason } from '../policy/policy.ts';
import { normalisePath } from '../policy/normalise-path.ts';
import type { AuditEntry, SecretUse } from './audit-entry.ts';
import { covers, foldPaths } from './fold-paths.ts';
import { isPlainPath } from './is-plain-path.ts';
import { isPublicHost } from './is-public-host.ts';
import { OTHER_HOSTS } from './other-hosts.ts';
import { isSecretMisuse } from './is-secret-misuse.ts';

/** Requests, or names that were refused, together: of all that was asked for, what a rule may allow. */
export type AskedRequest = {
  /** `dns`: of the host only the name is known, as it was refused; `tcp`: a raw connection */
  protocol: 'https' | 'http' | 'tcp' | 'dns';
  host: string;
  /** null of a name */
  port: number | null;
  /** null: not known, or more than are told one by one */
  method: string | null;
  /** as the path of a rule; null: any */
  path: string | null;
  count: number;
};

export type AskedRequests = {
  /** takes what may be allowed, and passes over the rest */
  add(entry: AskedEntry): void;
  list(): AskedRequest[];
};

export type AskedEntry = Pick<AuditEntry, 'protocol' | 'host' | 'port' | 'method' | 'path' | 'decision' | 'reason'> & {
  /** a blocked one that counts a refusal would have taken a secret along */
  secrets: readonly Pick<SecretUse, 'refusals'>[];
};

/** Of one host, port and method; beyond that they are folded into patterns. */
const MAX_PATHS = 50;
/** All together: a report stays small whatever the sandbox asks for. What is past it is counted under the host `…other`. */
const MAX_GROUPS = 2000;
/** As in the audit log. */
const MAX_PATH = 1024;
/** Names can be made up without end, and must not take the room of requests. */
const MAX_NAMES = 500;
const OVERFLOW: Omit<AskedRequest, 'count'> = { protocol: 'dns', host: OTHER_HOSTS, port: null, method: null, path: null };

/** Gathers what was asked for, in constant memory. Misuse of a secret is never among it, nor a name that only such misuse followed. */
export function createAskedRequests(): AskedRequests {
  const endpoints = new Map<string, { request: AskedRequest; paths: Paths }>();
  // The same once more, by what an entry says: most requests are like an earlier one, and this is done for every one.
  const repeated = new Map<string, Counter>();
  const misused = new Set<string>();
  const hosts = new Set<string>();
  let groups = 0;
  let names = 0;
  let overflow = 0;
  const counterOf = (request: AskedRequest): Counter | null => {
    const { protocol, host, port, method, path } = request;
    const key = `${protocol} ${host} ${port} ${method}`;
    const endpoint = endpoints.get(key);
    if (endpoint !== undefined && endpoint.paths.size >= MAX_PATHS && !endpoint.paths.has(path)) {
      groups -= fold(endpoint.paths);
      repeated.clear();
    }
    const known = endpoint && (endpoint.paths.get(path) ?? [...endpoint.paths].find(([pattern]) => pattern === null || (path !== null && covers(pattern, path)))?.[1]);
    if (known !== undefined) return known;
    if (groups >= MAX_GROUPS) return null;
    groups += 1;
    if (protocol === 'dns') names += 1;
    hosts.add(host);
    const counter = { count: 0 };
    if (endpoint === undefined) endpoints.set(key, { request, paths: new Map([[path, counter]]) });
    else endpoint.paths.set(path, counter);
    return counter;
  };
  return {
    add(entry) {
      if (isMisuse(entry)) {
        if (misused.size < MAX_GROUPS) misused.add(entry.host);
        return;
      }
      // Before all that costs, as hosts can be made up at any rate.
      if (groups >= MAX_GROUPS && !hosts.has(entry.host)) return void (overflow += isOfRules(entry) ? 1 : 0);
      const key = `${entry.protocol} ${entry.host} ${entry.port} ${entry.method} ${entry.decision} ${entry.reason} ${entry.path}`;
      let counter = repeated.get(key) ?? null;
      if (counter === null) {
        if (entry.protocol === 'dns' && names >= MAX_NAMES) return void (overflow += 1);
        const request = requestOf(entry);
        if (request === null) return;
        counter = counterOf(request);
        if (counter === null) return void (overflow += 1);
        if (repeated.size >= MAX_GROUPS) repeated.clear();
        repeated.set(key, counter);
      }
      counter.count += 1;
    },
    list() {
      const all = [...endpoints.values()].flatMap(({ request, paths }) => [...paths].map(([path, { count }]) => ({ ...request, path, count })));
      const told = all.filter(({ protocol, host }) => protocol !== 'dns' || !misused.has(host));
      return overflow === 0 ? told : [...told, { ...OVERFLOW, count: overflow }];
    },
  };
}

const PROPOSED: ReadonlySet<RefusalReason> = new Set<RefusalReason>(['host-not-allowed', 'name-not-allowed', 'port-not-allowed', 'method-not-allowed', 'path-not-allowed']);
const REACHED: ReadonlySet<RefusalReason> = new Set<RefusalReason>(['upstream-tls', 'upstream-unreachable', 'upstream-proxy']);

function isMisuse({ decision, reason, secrets }: AskedEntry): boolean {
  return (reason !== null && isSecretMisuse(reason)) || (decision === 'blocked' && secrets.some(({ refusals }) => refusals > 0));
}

/** Whether the rules alone decided. */
function isOfRules({ decision, reason }: Pick<AskedEntry, 'decision' | 'reason'>): boolean {
  return reason === null ? decision === 'allowed' : decision === 'failed' ? REACHED.has(reason) : PROPOSED.has(reason);
}

function requestOf({ protocol, host, port, method, path, decision, reason }: AskedEntry): AskedRequest | null {
  if (!isOfRules({ decision, reason })) return null;
  // What a rule let through is the user's; what none did must be a host that can be meant.
  if (reason !== null && decision !== 'failed' && !isPublicHost(host)) return null;
  // An answered name is followed by what it was asked for.
  if (protocol === 'dns') return decision === 'blocked' ? { protocol, host, port: null, method: null, path: null, count: 1 } : null;
  if (port === null) return null;
  // Refused before a byte of it was read, a connection is only known by its port.
  if (protocol === 'tls' || (protocol === 'tcp' && decision === 'blocked')) {
    return port === 443 || port === 80 ? { protocol: 'dns', host, port: null, method: null, path: null, count: 1 } : null;
  }
  if (protocol === 'tcp') return { protocol, host, port, method: null, path: null, count: 1 };
  return method === null || port === (protocol === 'https' ? 80 : 443) ? null : { protocol, host, port, method, path: patternOf(path), count: 1 };
}

/** The path of a rule that covers the path; null where only a rule without one does. */
function patternOf(whole: string | null): string | null {
  const path = whole !== null && whole.length > MAX_PATH ? `${whole.slice(0, MAX_PATH - 1)}…` : whole;
  const isCut = path?.endsWith('…') === true;
  const normal = path === null ? null : normalisePath(isCut ? path.slice(0, path.lastIndexOf('/') + 1) : path);
  if (normal === null) return null;
  const pattern = normal.split('/').map((segment) => (segment === '' || isPlainPath(segment) ? segment : '*')).join('/');
  return isCut ? `${pattern}**` : pattern;
}

type Counter = { count: number };
type Paths = Map<string | null, Counter>;

/** Returns how many groups fewer there are. */
function fold(paths: Paths): number {
  const before = paths.size;
  const folded = paths.has(null) ? [] : foldPaths([...paths.keys()].map((path) => path!));
  const patterns = folded.length > 0 && folded.length <= MAX_PATHS / 2 ? folded : [null];
  const counts = [...paths];
  paths.clear();
  for (const pattern of patterns) paths.set(pattern, { count: 0 });
  for (const [path, { count }] of counts) {
    const pattern = patterns.find((candidate) => candidate === path || (candidate !== null && path !== null && covers(candidate, path))) ?? patterns[0] as string | null;
    paths.get(pattern)!.count += count;
  }
  return before - paths.size;
}
