import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { normaliseHost } from '../../src/policy/normalise-host.ts';
import { parseHostPattern } from '../../src/policy/parse-host-pattern.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import { check } from './bytes.ts';

/** Rules and host patterns: nothing throws, what is accepted is in its one spelling, and a rule allows what it says. */
export function fuzz(data: Buffer): void {
  const text = data.toString('utf8');
  const { rules, problems } = parseRules(text.split('\n'));
  for (const rule of rules) {
    const again = parseRules([rule.text]);
    check(again.problems.length === 0 && JSON.stringify(again.rules) === JSON.stringify([rule]), 'a rule\'s text gives the rule');
    check(normaliseHost(rule.host.name) === rule.host.name, 'a rule\'s host is normalised');
    const policy = compilePolicy({ rules: [rule], bindings: [] });
    const name = rule.host.kind === 'exact' || rule.host.kind === 'address' ? rule.host.name : `x.${rule.host.name}`;
    // One label in front may make the longest names too long.
    if (normaliseHost(name) !== null) check(policy.couldAllow(name), 'the policy knows the rule\'s host');
    if (rule.host.kind === 'exact') check(!policy.couldAllow(`x.${name}`) && !policy.couldAllow(`x${name}`), 'and none that ends like it');
  }
  for (const problem of problems) check(problem !== '' && !problem.includes('\n'), 'a problem is one line');
  const pattern = parseHostPattern(text);
  if (pattern.ok) check(normaliseHost(pattern.value.name) === pattern.value.name, 'a pattern\'s name is normalised');
  const host = normaliseHost(text);
  if (host !== null) check(normaliseHost(host) === host && host === host.toLowerCase() && !host.endsWith('.'), 'normalising a host twice changes nothing');
}
