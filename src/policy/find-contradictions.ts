import type { Binding } from './compile-policy.ts';
import type { HttpRule, Rule, TcpRule } from './policy.ts';
import { coversPattern } from './covers-pattern.ts';
import { coversPortOfEither } from './covers-port.ts';
import { quote } from './quote.ts';

/**
 * What is wrong with rules and bindings taken together: a `tcp://` rule that could never take effect, because all of what it names is
 * judged as HTTP. One sentence each that quotes the rule and gives the remedy.
 */
export function findContradictions({ rules, bindings }: { rules: readonly Rule[]; bindings: readonly Binding[] }): string[] {
  const httpRules = rules.filter((rule) => rule.kind === 'http');
  return rules.filter((rule) => rule.kind === 'tcp').flatMap((rule) => {
    const cause = causeOf(rule, { httpRules, bindings });
    return cause === null ? [] : [`allow rule ${quote(rule.text)}: ${cause}.`];
  });
}

function causeOf(rule: TcpRule, { httpRules, bindings }: { httpRules: readonly HttpRule[]; bindings: readonly Binding[] }): string | null {
  const http = httpRules.find(({ host, port }) => coversPattern(host, rule.host) && coversPortOfEither({ port }, rule.port));
  if (http) return `the rule ${quote(http.text)} lets only HTTP through there: remove one of the two`;
  const binding = rule.port === 443 ? bindings.find(({ hosts }) => hosts.some((host) => coversPattern(host, rule.host))) : undefined;
  if (binding) return `secret ${quote(binding.name)} is bound there, so that only HTTPS passes: remove the rule, or bind the secret to another host`;
  return null;
}
