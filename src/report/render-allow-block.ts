/**
 * Rules as YAML to paste: the input of a workflow step, or with `asPolicy` the key of a policy file, a list. Each must parse as a rule; those hold
 * no quote, backslash, `${{` or line break, and no line of theirs begins with what a runner obeys.
 */
export function renderAllowBlock(rules: readonly string[], { asPolicy = false }: { asPolicy?: boolean } = {}): string[] {
  if (rules.length === 0) return [asPolicy ? 'allow: []' : "allow: ''"];
  if (!asPolicy) return ['allow: |', ...rules.map((rule) => `  ${rule}`)];
  // In plain YAML a star at the beginning is an alias.
  return ['allow:', ...rules.map((rule) => `  - ${/^[A-Za-z0-9][A-Za-z0-9 .,:/_*~-]*$/.test(rule) ? rule : `"${rule}"`}`)];
}
