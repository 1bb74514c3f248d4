import { compilePolicy, type Binding } from './compile-policy.ts';
import type { ResolveEntry, Rule } from './policy.ts';
import { quote } from './quote.ts';

/** The lines of `resolve` that change nothing, as no rule and no binding lets anything through to their host and port: one sentence each with the rule to add. */
export function unreachedEntries(entries: readonly ResolveEntry[], { rules, bindings }: { rules: readonly Rule[]; bindings: readonly Binding[] }): string[] {
  const policy = compilePolicy({ rules, bindings });
  return entries.filter((entry) => !policy.couldReach(entry)).map(({ host, port }) => {
    const place = `${host}:${port}`;
    return `resolve ${quote(place)} changes nothing, since no rule lets anything through to it: add ${quote(place)} to allow, or ${quote(`tcp://${place}`)} where it is not HTTP.`;
  });
}
