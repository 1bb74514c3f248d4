import type { PolicyContext, ReadPolicy } from './read-policy.ts';

/** The policy that `policy` names; without it an empty one, and YAML is not even loaded. */
export async function loadPolicy(given: string | undefined, context: PolicyContext): Promise<ReadPolicy> {
  if (!given) return { inputs: {}, bindings: new Map(), origins: [], text: '', warnings: [], problems: [] };
  return (await import('./read-policy.ts')).readPolicy(given, context);
}
