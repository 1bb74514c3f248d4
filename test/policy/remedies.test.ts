import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compilePolicy, type Binding } from '../../src/policy/compile-policy.ts';
import { findContradictions } from '../../src/policy/find-contradictions.ts';
import { parseHostPattern } from '../../src/policy/parse-host-pattern.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import type { Endpoint, Question } from '../../src/policy/policy.ts';

// Few of each, so that rules and requests often have to do with each other.
const host = fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'd.test', '192.0.2.7');
const pattern = fc.oneof(host, fc.constantFrom('*.a.test', '**.a.test', '*.b.a.test'));
const port = fc.constantFrom('', ':443', ':80', ':8443');
const methods = fc.constantFrom('', 'GET ', 'GET,POST ', 'DELETE ');
const paths = fc.constantFrom('', '/', '/v1', '/v1/**', '/v1/*', '/v1/*/x', '/**/x', '/v*/y', '/%c3%a9/**');
const httpLine = fc.tuple(methods, pattern, port, paths).map((parts) => parts.join(''));
const tcpLine = fc.tuple(pattern, fc.constantFrom(80, 443, 8443, 22)).map(([name, at]) => `tcp://${name}:${at}`);
const lines = fc.array(fc.oneof({ weight: 3, arbitrary: httpLine }, { weight: 1, arbitrary: tcpLine }), { maxLength: 4 });
const bindings = fc.array(pattern, { maxLength: 2 }).map((names): Binding[] => names.map((name, i) => ({ name: `KEY${i}`, hosts: [hostPattern(name)] })));

const segment = fc.oneof(fc.constantFrom('v1', 'v2', 'x', 'y', '', '.', '..', '%2e', '%2f', '%C3%A9', '%c3%a9', '*', '**', '@x', 'a`b', ',', ';', '%23', '~'), fc.string({ unit: 'grapheme-ascii', maxLength: 30 }));
const question: fc.Arbitrary<Question> = fc.record({
  scheme: fc.constantFrom('https', 'http'),
  host: fc.oneof(host, fc.constantFrom('xn--bcher-kva.example', 'localhost', '127.0.0.1', 'co.uk', 'get', 'my_host.a.test', '2001:db8::1', 'no name')),
  port: fc.constantFrom(443, 80, 8443, 53, 22),
  method: fc.oneof(fc.constantFrom('GET', 'POST', 'HEAD', 'PROPFIND', 'TRACE', 'get', 'Post'), fc.string({ maxLength: 8 })),
  path: fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
});

const valid = fc.tuple(lines, bindings).filter(([texts, bound]) => problemsOf(texts, bound).length === 0);

test('the line a refusal proposes is a rule, contradicts none, and allows that request', () => {
  fc.assert(fc.property(valid, question, ([texts, bound], asked) => {
    const verdict = policyOf(texts, bound).decide(asked);
    if (verdict.allowed) return;
    const changed = linesAfter(texts, verdict.remedy);
    if (changed === null) return;
    expect(problemsOf(changed, bound)).toEqual([]);
    expect(policyOf(changed, bound).decide(asked), verdict.remedy).toMatchObject({ allowed: true });
  }), { numRuns: 6_000 });
});

test('a request that a rule could allow, and that goes over TLS where it should, is never refused without a line', () => {
  fc.assert(fc.property(valid, question, host, ([texts, bound], asked, name) => {
    const usual = { ...asked, host: name, port: asked.scheme === 'https' ? 443 : 8443 };
    const verdict = policyOf(texts, bound).decide(usual);
    if (!verdict.allowed) expect(linesAfter(texts, verdict.remedy), verdict.remedy).not.toBeNull();
  }), { numRuns: 5_000 });
});

test('the line proposed for another method or path allows no other method and no other port than were asked for, where the rules name them', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom('GET ', 'PUT '), host, fc.constantFrom(':443', ':8443'), paths).map((parts) => parts.join('')), { minLength: 1, maxLength: 4 }), host, paths, (texts, name, path) => {
    const asked: Question = { scheme: 'https', host: name, port: 443, method: 'POST', path: path || '/' };
    const verdict = policyOf(texts, []).decide(asked);
    if (verdict.allowed || verdict.reason !== 'method-not-allowed') return;
    const after = policyOf(linesAfter([], verdict.remedy)!, []);
    expect(after.decide({ ...asked, method: 'DELETE' })).toMatchObject({ allowed: false });
    expect(after.decide({ ...asked, scheme: 'http', port: 80 })).toMatchObject({ allowed: false });
  }), { numRuns: 2_000 });
});

test('the line proposed for a raw connection lets it through', () => {
  fc.assert(fc.property(valid, question, ([texts, bound], asked: Endpoint) => {
    const verdict = policyOf(texts, bound).decideTcp(asked);
    if (verdict.allowed) return;
    const changed = linesAfter(texts, verdict.remedy);
    if (changed === null) return;
    expect(problemsOf(changed, bound)).toEqual([]);
    expect(policyOf(changed, bound).decideTcp(asked), verdict.remedy).toMatchObject({ allowed: true });
  }), { numRuns: 5_000 });
});

/** The rules once the remedy was followed; null where it proposes none. */
function linesAfter(texts: readonly string[], remedy: string): string[] | null {
  const [, line] = /add `([^`]*)` to allow/.exec(remedy) ?? [];
  if (line !== undefined) return [...texts, line];
  const [, old, instead] = /^the rule `([^`]*)` lets .* write `([^`]*)` in its place$/.exec(remedy) ?? [];
  return instead === undefined ? null : [...texts.filter((text) => text !== old), instead];
}

function problemsOf(texts: readonly string[], bound: readonly Binding[]): string[] {
  const { rules, problems } = parseRules(texts);
  return [...problems, ...findContradictions({ rules, bindings: bound })];
}

function policyOf(texts: readonly string[], bound: readonly Binding[]) {
  return compilePolicy({ rules: parseRules(texts).rules, bindings: bound });
}

function hostPattern(text: string) {
  const parsed = parseHostPattern(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}
