import { isIPv6 } from 'node:net';
import type { Endpoint, HttpRule, Question } from './policy.ts';
import { isHostName } from './normalise-host.ts';
import { normalisePath } from './normalise-path.ts';
import { methods } from './parse-rules.ts';
import { quote } from './quote.ts';
import { unreachableHost } from './unreachable-host.ts';

export type RemediedReason = 'host-not-allowed' | 'port-not-allowed' | 'method-not-allowed' | 'path-not-allowed';

/**
 * One sentence with the exact line that would allow the request. `rule` is the closest miss. Method and path come from the sandbox, so
 * only what is plainly a method, and the first segment of the path where it is a plain word, are repeated: a path can carry a secret or a
 * message of the attacker's to whoever reads the report. Callers that know the secrets pass the sentence through their redaction still.
 */
export function renderRemedy(reason: RemediedReason, { question, rule }: { question: Question; rule: HttpRule | null }): string {
  const obstacle = obstacleTo(question);
  if (obstacle !== null) return obstacle;
  const host = `${question.host}${portSuffix(question)}`;
  if (reason === 'host-not-allowed' || reason === 'port-not-allowed') return `add ${quote(host)} to allow`;
  if (reason === 'path-not-allowed' && normalisePath(question.path) === null) {
    return `the path can be read in two ways (dot segments, \`//\`, or an escaped \`/\`, \`\\\` or \`%\`): request it in its plain form, or add ${quote(withMethod(host, { question, rule }))} to allow, which is any path`;
  }
  if (reason === 'path-not-allowed') return `add ${quote(withMethod(host + pathAround(question.path), { question, rule }))} to allow`;
  const path = rule?.path ?? '';
  if (methods.includes(question.method)) return `add ${quote(`${question.method} ${host}${path}`)} to allow`;
  return `only a rule without methods allows this method: add ${quote(host + path)} to allow`;
}

/** The same for a raw connection. */
export function renderTcpRemedy(endpoint: Endpoint): string {
  return obstacleToEndpoint(endpoint) ?? `add ${quote(`tcp://${endpoint.host}:${endpoint.port}`)} to allow`;
}

/** What no line of `allow` can permit. */
function obstacleTo({ scheme, host, port }: Question): string | null {
  const obstacle = obstacleToEndpoint({ host, port });
  if (obstacle !== null) return obstacle;
  if (scheme === 'http' && port === 443) return 'plain HTTP is never allowed on port 443: use https';
  if (scheme === 'https' && port === 80) return 'HTTPS is never allowed on port 80: use port 443';
  return null;
}

function obstacleToEndpoint({ host, port }: Endpoint): string | null {
  if (isIPv6(host)) return 'IPv6 addresses cannot be allowed yet: use the name of the host';
  if (!isHostName(host)) return 'this is not a host name: no rule can allow it';
  const unreachable = unreachableHost(host);
  if (unreachable !== null) return unreachable;
  if (port === 53) return 'port 53 is where the sandbox asks for names: no rule can allow it';
  return null;
}

function portSuffix({ scheme, port }: Question): string {
  return port === (scheme === 'https' ? 443 : 80) ? '' : `:${port}`;
}

/** A path is missed by a rule that allows the method: the line proposed names that method only, not the rule's others. */
function withMethod(target: string, { question, rule }: { question: Question; rule: HttpRule | null }): string {
  return rule?.methods ? `${question.method} ${target}` : target;
}

function pathAround(path: string): string {
  const [, first = '', ...rest] = normalisePath(path)?.split('/') ?? [];
  if (!plainWord.test(first)) return '/**';
  return rest.length === 0 ? `/${first}` : `/${first}/**`;
}

const plainWord = /^[A-Za-z0-9._~@-]{1,24}$/;
