import { parseArgs } from 'node:util';
import { compilePolicy } from './policy/compile-policy.ts';
import { normaliseHost } from './policy/normalise-host.ts';
import { parseHostPattern } from './policy/parse-host-pattern.ts';
import { parseRules } from './policy/parse-rules.ts';

/** `decoy check [--allow RULE]… [--secret NAME@host]… [METHOD] URL`: exit 0 allowed, 1 blocked, 125 unusable arguments. */
export function check(args: string[]): number {
  const { values, positionals } = parseArgs({
    args, options: { allow: { type: 'string', multiple: true }, secret: { type: 'string', multiple: true } }, allowPositionals: true, strict: true,
  });
  const text = positionals.at(-1) ?? '';
  const method = (positionals.length > 1 ? positionals[0] as string : 'GET').toUpperCase();
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw new Error(`${JSON.stringify(text)} is not a URL to check: write \`decoy check --allow RULE https://host/path\``);
  const { rules, problems } = parseRules(values.allow ?? []);
  const bindings = (values.secret ?? []).map((option) => {
    const [name = '', hosts = ''] = option.split('@');
    return { name, hosts: hosts.split(',').flatMap((host) => {
      const pattern = parseHostPattern(host);
      if (!pattern.ok) problems.push(`--secret \`${name}\`: ${pattern.problem}`);
      return pattern.ok ? [pattern.value] : [];
    }) };
  });
  if (problems.length > 0) throw new Error(problems.join('\ndecoy: '));
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const verdict = compilePolicy({ rules, bindings }).decide({
    scheme, host: normaliseHost(url.hostname) ?? url.hostname, port: Number(url.port) || (scheme === 'https' ? 443 : 80), method, path: url.pathname,
  });
  process.stdout.write(verdict.allowed ? `allowed by ${verdict.rule}\n` : `blocked: ${verdict.reason}; ${verdict.remedy}\n`);
  return verdict.allowed ? 0 : 1;
}
