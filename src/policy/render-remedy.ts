import { isIPv6 } from 'node:net';
import type { Endpoint, HttpRule, Question, TcpRule } from './policy.ts';
import { coversPath } from './covers-path.ts';
import { isHostName } from './normalise-host.ts';
import { normalisePath } from './normalise-path.ts';
import { methods } from './parse-rules.ts';
import { quote } from './quote.ts';
import { unreachableHost } from './unreachable-host.ts';

export type RemediedReason = 'host-not-allowed' | 'port-not-allowed' | 'method-not-allowed' | 'path-not-allowed';

export type Refused = {
  question: Question;
  /** the closest miss; null where none covers the port */
  rule: HttpRule | null;
  /** what else is said of the host */
  near: Near;
};

export type Near = {
  /** a secret bound to it */
  secret: string | null;
  /** whether a rule lets HTTPS through on 443 */
  hasHttps: boolean;
  /** a rule of this host alone and the port that was asked for, which an HTTP rule for them would contradict */
  tcpRule: TcpRule | null;
};

/**
 * One sentence with the exact line that would allow the request, and as little else as can be. Method and path come from the sandbox, so
 * only what is plainly a method, and the first segment of the path where it is a plain word, are repeated: a path can carry a secret or a
 * message of the attacker's to whoever reads the report. Callers that know the secrets pass the sentence through their redaction still.
 */
export function renderRemedy(reason: RemediedReason, { question, rule, near }: Refused): string {
  const obstacle = obstacleTo(question);
  if (obstacle !== null) return obstacle;
  if (reason === 'host-not-allowed') return `add ${quote(`${question.host}${portSuffix(question)}`)} to allow`;
  if (reason === 'port-not-allowed') return portRemedy(question, near);
  const line = quote(narrowLine(question, rule));
  if (rule?.path && normalisePath(question.path) === null) {
    return `the path can be read in two ways (dot segments, \`//\`, or an escaped \`/\`, \`\\\` or \`%\`): request it in its plain form, or add ${line} to allow, which is any path`;
  }
  const isNameable = reason === 'path-not-allowed' || methods.includes(question.method);
  return `${isNameable ? '' : 'only a rule without methods allows this method: '}add ${line} to allow`;
}

/** The same for a raw connection. */
export function renderTcpRemedy(endpoint: Endpoint): string {
  return obstacleToEndpoint(endpoint) ?? `add ${quote(`tcp://${endpoint.host}:${endpoint.port}`)} to allow`;
}

/** What no line of `allow` can permit. */
export function obstacleTo({ scheme, host, port }: Question): string | null {
  const obstacle = obstacleToEndpoint({ host, port });
  if (obstacle !== null) return obstacle;
  if (scheme === 'http' && port === 443) return 'plain HTTP is never allowed on port 443: use https';
  if (scheme === 'https' && port === 80) return 'HTTPS is never allowed on port 80: use port 443';
  return null;
}

/** The same of a connection. */
export function obstacleToEndpoint({ host, port }: Endpoint): string | null {
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

/**
 * Asked before method and path are known, too, and on other ports than 443 and 80 before the scheme is. The port is always named: a rule
 * without one would open both of these.
 */
function portRemedy({ scheme, host, port }: Question, { secret, hasHttps, tcpRule }: Near): string {
  const line = quote(`${host}:${port}`);
  const isPlain = scheme === 'http' && port === 80;
  if (isPlain && secret !== null) return `secret ${quote(secret)} is bound to this host and goes over TLS only: use ${quote(`https://${host}`)} instead of plain HTTP`;
  if (tcpRule !== null) return `the rule ${quote(tcpRule.text)} lets only raw TCP through there: for HTTP, write ${line} in its place`;
  return isPlain && hasHttps ? `use ${quote(`https://${host}`)} instead of plain HTTP, or add ${line} to allow` : `add ${line} to allow`;
}

/**
 * Method and port only where the rule that was missed names them, its path where that covers the request, else what is around the request's own.
 * A path that can be read in two ways is allowed by a rule without one alone.
 */
function narrowLine(question: Question, rule: HttpRule | null): string {
  const method = rule?.methods && methods.includes(question.method) ? `${question.method} ` : '';
  const port = rule?.port ? `:${rule.port}` : portSuffix(question);
  return `${method}${question.host}${port}${narrowPath(question.path, rule?.path ?? null)}`;
}

function narrowPath(path: string, pattern: string | null): string {
  const normal = normalisePath(path);
  if (pattern === null || normal === null) return '';
  return coversPath(pattern, normal) ? pattern : pathAround(normal);
}

function pathAround(normal: string): string {
  const [, first = '', ...rest] = normal.split('/');
  if (!plainWord.test(first)) return '/**';
  return rest.length === 0 ? `/${first}` : `/${first}/**`;
}

const plainWord = /^[A-Za-z0-9._~@-]{1,24}$/;
