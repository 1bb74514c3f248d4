import type { Destination, HttpRule } from './policy.ts';

/** 443 is HTTPS and 80 plain HTTP, never the other way round, so that no rule lets a request lose its TLS; any other port is either. */
export function coversPort(rule: Pick<HttpRule, 'port'>, { scheme, port }: Pick<Destination, 'scheme' | 'port'>): boolean {
  if (port === 443) return scheme === 'https' && (rule.port === null || rule.port === 443);
  if (port === 80) return scheme === 'http' && (rule.port === null || rule.port === 80);
  return port === rule.port;
}

/** Before the first byte the scheme is not known: either will do. */
export function coversPortOfEither(rule: Pick<HttpRule, 'port'>, port: number): boolean {
  return coversPort(rule, { scheme: 'https', port }) || coversPort(rule, { scheme: 'http', port });
}
