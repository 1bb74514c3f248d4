import { compilePolicy, type Binding } from '../../src/policy/compile-policy.ts';
import { coversPath } from '../../src/policy/covers-path.ts';
import { normaliseHost } from '../../src/policy/normalise-host.ts';
import { normalisePath } from '../../src/policy/normalise-path.ts';
import { parseHostPattern } from '../../src/policy/parse-host-pattern.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import type { HostPattern, HttpRule, Question } from '../../src/policy/policy.ts';
import { check, readBytes } from './bytes.ts';

// Bytes from 0x80 stand for these, so that rules and questions often have to do with each other.
const tokens = ['a.test', 'b.a.test', '*.a.test', '**.a.test', '*.b.a.test', 'c.', '192.0.2.7', '/', '/v1', '/x', '/*', '/**', 'GET ', 'GET,POST ', ':443', ':80', ':8443', '\n', '%78', 'v1'];
const ports = [{ scheme: 'https', port: 443 }, { scheme: 'http', port: 80 }, { scheme: 'http', port: 443 }, { scheme: 'https', port: 80 }, { scheme: 'https', port: 8443 }, { scheme: 'http', port: 8443 }] as const;

/** Decisions: the compiled policy, with its maps and trees, says of any request what going through the rules one by one does. */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const destination = ports[bytes.below(ports.length)]!;
  const method = ['GET', 'POST', 'DELETE', 'get'][bytes.below(4)]!;
  const host = normaliseHost(withTokens(bytes.line()));
  const path = `/${withTokens(bytes.line())}`;
  const bound = parseHostPattern(withTokens(bytes.line()));
  const { rules } = parseRules(withTokens(bytes.rest().toString('latin1')).split('\n'));
  if (host === null) return;
  const bindings: Binding[] = bound.ok ? [{ name: 'KEY', hosts: [bound.value] }] : [];
  const question: Question = { ...destination, host, method, path };
  const policy = compilePolicy({ rules, bindings });
  const verdict = policy.decide(question);

  const named = rules.filter((rule) => breadth(rule.host, host) !== null);
  const near = named.filter((rule) => rule.kind === 'http');
  const allowing = near.filter((rule) => covers(rule, question));
  const isByBinding = bound.ok && bindingAllows(bound.value, { near, question });
  check(verdict.allowed === (allowing.length > 0 || isByBinding), 'a request is allowed if a rule or a binding says so');
  if (verdict.allowed) check(verdict.rule === 'secret KEY' ? isByBinding : allowing.some(({ text }) => text === verdict.rule), 'what it is allowed by allows it');
  const isKnown = named.length > 0 || (bound.ok && breadth(bound.value, host) !== null);
  check(policy.couldAllow(host) === isKnown, 'the name is answered if a rule or a binding has it');
  if (!verdict.allowed) check((verdict.reason === 'host-not-allowed') === !isKnown && verdict.remedy !== '', 'a refusal says what is lacking');
  check(!verdict.allowed || policy.couldReach({ host, port: destination.port }), 'what is allowed can be connected to');
}

function withTokens(text: string): string {
  return text.replaceAll(/[\x80-\xff]/g, (character) => tokens[(character.charCodeAt(0) - 0x80) % tokens.length]!);
}

/** How many names the pattern covers, by order only: 0 for one, more for more; null where the host is none of them. */
function breadth({ kind, name }: HostPattern, host: string): number | null {
  if (kind === 'exact' || kind === 'address') return host === name ? 0 : null;
  const isBelow = host.endsWith(`.${name}`) && normaliseHost(name) === name;
  const labels = host.slice(0, -name.length - 1).split('.').length;
  if (kind === 'one-label') return isBelow && labels === 1 ? 1 : null;
  return isBelow ? 1 + labels : null;
}

function covers(rule: HttpRule, { method, path, ...destination }: Question): boolean {
  const normal = normalisePath(path);
  return coversPort(rule, destination) && (rule.methods?.includes(method) ?? true) && (rule.path === null || (normal !== null && coversPath(rule.path, normal)));
}

function coversPort({ port }: HttpRule, asked: { scheme: string; port: number }): boolean {
  const isUsual = asked.port === (asked.scheme === 'https' ? 443 : 80);
  const isSwapped = asked.port === (asked.scheme === 'https' ? 80 : 443);
  return !isSwapped && (port === null ? isUsual : port === asked.port);
}

/** HTTPS on 443, unless a rule for as many names or fewer has something to say on that. */
function bindingAllows(bound: HostPattern, { near, question }: { near: readonly HttpRule[]; question: Question }): boolean {
  const own = breadth(bound, question.host);
  if (own === null || question.scheme !== 'https' || question.port !== 443) return false;
  return !near.some((rule) => breadth(rule.host, question.host)! <= own && coversPort(rule, { scheme: 'https', port: 443 }));
}
