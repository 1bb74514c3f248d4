import type { Policy, Rule, Verdict } from './policy.ts';
import { isHostName } from './normalise-host.ts';
import { obstacleTo, obstacleToEndpoint } from './render-remedy.ts';
import { unreachableHost } from './unreachable-host.ts';

/** What stands in the audit log for the rule, where it was none. */
export const OBSERVE_RULE = 'mode: observe';

/**
 * The same policy for `mode: observe`: what some line of `allow` could permit is let through, with what would have refused it. What no line
 * can permit (plain HTTP on 443, `localhost`) is refused still. Only what is open can be seen: a port that `tcp://` rules alone name is raw for every host,
 * all others are HTTP's.
 */
export function observePolicy(enforced: Policy, { rules }: { rules: readonly Rule[] }): Policy {
  const httpPorts = new Set([80, 443, ...rules.flatMap((rule) => (rule.kind === 'http' && rule.port !== null ? [rule.port] : []))]);
  const isRaw = (port: number) => rules.some((rule) => rule.kind === 'tcp' && rule.port === port) && !httpPorts.has(port);
  return {
    ...enforced,
    enforced,
    decide: (question) => observed(enforced.decide(question), obstacleTo(question)),
    decideTcp(endpoint) {
      const verdict = enforced.decideTcp(endpoint);
      return isRaw(endpoint.port) && !enforced.couldReach(endpoint) ? observed(verdict, obstacleToEndpoint(endpoint)) : verdict;
    },
    couldAllow: (name) => enforced.couldAllow(name) || (isHostName(name) && unreachableHost(name) === null),
    couldReach: (endpoint) => enforced.couldReach(endpoint) || obstacleToEndpoint(endpoint) === null,
  };
}

function observed(verdict: Verdict, obstacle: string | null): Verdict {
  if (verdict.allowed || obstacle !== null) return verdict;
  return { allowed: true, rule: OBSERVE_RULE, observed: { reason: verdict.reason, remedy: verdict.remedy } };
}
