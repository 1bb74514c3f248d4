import type { Binding } from '../policy/compile-policy.ts';
import { findContradictions } from '../policy/find-contradictions.ts';
import { parseResolve } from '../policy/parse-resolve.ts';
import { parseRules } from '../policy/parse-rules.ts';
import type { ResolveEntry, Rule } from '../policy/policy.ts';
import { quote } from '../policy/quote.ts';
import { unreachedEntries } from '../policy/unreached-entries.ts';
import { unreachableHost } from '../policy/unreachable-host.ts';

/**
 * Parses `allow` and `resolve`, and refuses lines that could never take effect, because their host is the sandbox itself or none, or another
 * rule or a secret's binding stands against them. A line of `resolve` that nothing leads to is warned of.
 */
export function parseDestinations(
  { allow = [], resolve = [] }: { allow?: readonly string[] | undefined; resolve?: readonly string[] | undefined },
  { bindings }: { bindings: readonly Binding[] } = { bindings: [] },
): { rules: Rule[]; resolve: ResolveEntry[]; problems: string[]; warnings: string[] } {
  const rules = parseRules(allow);
  const entries = parseResolve(resolve);
  const unreachableRules = rules.rules.flatMap(({ text, host }) => {
    const problem = unreachableHost(host.name);
    return problem === null ? [] : [`allow rule ${quote(text)}: ${problem}.`];
  });
  const unreachableEntries = entries.entries.flatMap(({ host, port }) => {
    const problem = unreachableHost(host);
    return problem === null ? [] : [`resolve ${quote(`${host}:${port}`)}: ${problem}.`];
  });
  return {
    rules: rules.rules, resolve: entries.entries,
    problems: [
      ...labelled('allow', [...rules.problems, ...unreachableRules, ...findContradictions({ rules: rules.rules, bindings })]),
      ...labelled('resolve', [...entries.problems, ...unreachableEntries]),
    ],
    warnings: labelled('resolve', unreachedEntries(entries.entries, { rules: rules.rules, bindings })),
  };
}

function labelled(name: string, sentences: readonly string[]): string[] {
  return sentences.map((sentence) => `${name}: ${sentence}`);
}
