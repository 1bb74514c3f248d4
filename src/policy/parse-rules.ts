import type { HttpRule, Rule } from './policy.ts';
import { parseAuthority } from './parse-authority.ts';
import { parseHostPattern } from './parse-host-pattern.ts';
import { parsePathPattern } from './parse-path-pattern.ts';
import { parseTcpRule } from './parse-tcp-rule.ts';
import { quote } from './quote.ts';
import { slipInRule } from './slip-in-rule.ts';

/**
 * Parses the lines of `allow`: `[METHOD[,METHOD…] ]host[:port][/path]` or `tcp://host:port`, one rule a line. Blank lines and comments (`#` at the start of a
 * line or after a space) are skipped. Never throws: every problem of every line is returned, each one sentence that quotes the line and
 * gives the remedy, and the rules are those of the lines without one.
 */
export function parseRules(lines: readonly string[]): { rules: Rule[]; problems: string[] } {
  const rules: Rule[] = [];
  const problems: string[] = [];
  for (const line of lines) {
    const [first = '', ...others] = line.trim().split(/[\r\n]+/);
    if (others.length > 0) {
      problems.push(`allow rule ${quote(withoutCredentials(first))}: a line break follows: write one rule a line, on the command line each behind an \`--allow\` of its own.`);
      continue;
    }
    const text = line.replace(/(?:^|\s)#.*$/s, '').trim();
    if (text === '') continue;
    const found: string[] = [];
    const slip = slipInRule(text, methods);
    if (slip !== null) found.push(slip);
    const rule = slip !== null ? null : isTcpRule.test(text) ? parseTcpRule(text, found) : parseHttpRule(text, found);
    problems.push(...found.map((problem) => `allow rule ${quote(withoutCredentials(text))}: ${problem}.`));
    if (found.length === 0 && rule !== null) rules.push(rule);
  }
  return { rules, problems };
}

/** The methods a rule may name (RFC 9110 section 9.1, PATCH from RFC 5789). Rules without methods allow any other. */
export const methods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const isTcpRule = /(?:^|\s)tcp:\/\/\S*$/i;

function parseHttpRule(text: string, problems: string[]): HttpRule | null {
  const words = text.split(/\s+/);
  const target = words.at(-1)!;
  if (words.length > 2) {
    problems.push('it has more than two words: write one rule a line, its methods joined by commas without spaces, as in `GET,POST api.example.com`');
    return null;
  }
  if (words.length === 1 && methods.includes(target)) {
    problems.push(`it names a method but no host: write ${quote(`${target} api.example.com`)} with the host you mean`);
    return null;
  }
  const wrongForm = targetProblem(target) ?? (words.length === 1 ? rangeProblem(target) : null);
  if (wrongForm !== null) problems.push(wrongForm);
  const ruleMethods = words.length === 2 ? parseMethods(words[0]!, problems) : null;
  if (wrongForm !== null) return null;

  const { authority, path } = splitTarget(target);
  const { host, port } = parseAuthority(authority, { problems, withoutPort: ', or none for 443 and 80' });
  const pathPattern = path === null ? null : parsePathPattern(path);
  if (pathPattern?.ok === false) problems.push(pathPattern.problem);
  const hostPattern = parseHostPattern(host);
  if (!hostPattern.ok) problems.push(hostPattern.problem);
  if (!hostPattern.ok || pathPattern?.ok === false) return null;
  return { kind: 'http', text, methods: ruleMethods, host: hostPattern.value, port, path: pathPattern?.value ?? null };
}

/** What no split into host, port and path can make sense of. */
function targetProblem(target: string): string | null {
  const rest = target.replace(/^(?:[a-z][a-z0-9+.-]*:)?\/\//i, '');
  if (rest !== target) return `a rule has no scheme: write ${quote(plainTarget(rest))}`;
  if (/^[^/?#\\]*@/.test(target)) return `a rule has no user name or password: write ${quote(plainTarget(target))}`;
  if (target.includes(',') && !target.split(',', 1)[0]!.includes('/')) return 'it joins hosts with a comma: write one rule a line';
  if (target.includes('?')) return `a rule has no query: write ${quote(plainTarget(target))}`;
  if (target.includes('#')) return `a rule has no fragment: write ${quote(plainTarget(target))}`;
  if (target.includes('\\')) return `a rule has no backslash: write ${quote(target.replaceAll('\\', '/'))}`;
  return null;
}

function rangeProblem(target: string): string | null {
  const [, path] = /^\d{1,3}(?:\.\d{1,3}){3}(\/\d{1,2})$/.exec(target) ?? [];
  return path === undefined ? null : `it reads as a range of addresses, which a rule cannot be: write each address, one a line, or a method before it where ${quote(path)} is a path`;
}

function parseMethods(text: string, problems: string[]): readonly string[] {
  const named = [...new Set(text.toUpperCase().split(','))];
  for (const method of named.filter((name) => !methods.includes(name))) {
    problems.push(neverNamed.includes(method)
      ? `the method ${quote(method)} cannot be allowed by name: remove it, or write a rule without methods for any`
      : `${quote(method)} is not a method: write one or more of ${methods.join(', ')} joined by commas, or none for any`);
  }
  return named;
}

// TRACE and its old relative echo the request, credentials included, to whoever asked; CONNECT would open a tunnel nobody reads.
const neverNamed: readonly string[] = ['TRACE', 'TRACK', 'CONNECT'];

function splitTarget(target: string): { authority: string; path: string | null } {
  const slash = target.indexOf('/');
  return slash === -1 ? { authority: target, path: null } : { authority: target.slice(0, slash), path: target.slice(slash) };
}

/** The target as a rule would have it: what the remedies propose. */
function plainTarget(target: string): string {
  const bare = target.replace(/^[^/?#\\]*@/, '').replace(/[?#].*$/s, '').replace(/^([^/]*):\*(?=\/|$)/, '$1');
  return bare.endsWith('/') && bare.indexOf('/') === bare.length - 1 ? bare.slice(0, -1) : bare;
}

/** A password or a token of a pasted URL must not come to light in a message about it. */
function withoutCredentials(text: string): string {
  return text.replace(/^((?:\S+\s+)*(?:[a-z][a-z0-9+.-]*:\/\/|\/\/)?)[^\s/?#]*@/i, '$1…@').replace(/\?.*$/s, '?…');
}
