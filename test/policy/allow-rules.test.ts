import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseDestinations } from '../../src/inputs/parse-destinations.ts';
import { compilePolicy, type Binding } from '../../src/policy/compile-policy.ts';
import { findContradictions } from '../../src/policy/find-contradictions.ts';
import { normaliseHost } from '../../src/policy/normalise-host.ts';
import { parseHostPattern } from '../../src/policy/parse-host-pattern.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import type { Endpoint, Question } from '../../src/policy/policy.ts';
import { codeOf, parseMarkdownTables } from './markdown-tables.ts';

const tables = parseMarkdownTables(readFileSync(new URL('../../docs/allow-rules.md', import.meta.url), 'utf8'));

test('the page has the tables this test reads', () => {
  expect(tables.map(({ heading, rows }) => `${heading}: ${rows.length > 3}`)).toEqual(
    ['Hosts', 'Ports', 'Methods', 'Paths', 'Several rules', 'Remedies', 'Hosts bound to a secret', 'Raw TCP', 'Raw TCP', 'What is refused'].map((heading) => `${heading}: true`),
  );
});

for (const { heading, columns, rows } of tables.filter((table) => table.columns.includes('verdict'))) {
  describe(heading, () => {
    test.each(rows.map((cells) => Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']))))('$binding $rule $request → $verdict', (row) => {
      const { rules, problems } = parseRules(codeOf(row['rule']!));
      expect(problems).toEqual([]);
      const policy = compilePolicy({ rules, bindings: bindingsOf(row['binding']) });
      const request = codeOf(row['request']!)[0]!;
      const isRaw = request.startsWith('tcp://');
      const question = isRaw ? endpointOf(request) : questionOf(request);
      const verdict = isRaw ? policy.decideTcp(question) : policy.decide(question as Question);
      expect(verdict.allowed ? 'allowed' : verdict.reason).toBe(row['verdict']);
      // The coarse questions, asked before the request is known, are never stricter than the verdict.
      if (verdict.allowed || verdict.reason !== 'host-not-allowed') expect(policy.couldAllow(question.host)).toBe(true);
      else expect(policy.couldAllow(question.host)).toBe(false);
      if (verdict.allowed) expect(policy.couldReach(question)).toBe(true);
    });
  });
}

describe('Remedies', () => {
  const { rows } = tables.find((table) => table.columns.includes('remedy'))!;
  test.each(rows.map(([binding, rule, request, remedy]) => ({ binding, rule: codeOf(rule!), request: codeOf(request!)[0]!, remedy })))('$binding $rule $request', ({ binding, rule, request, remedy }) => {
    const policy = compilePolicy({ rules: parseRules(rule).rules, bindings: bindingsOf(binding) });
    expect(policy.decide(questionOf(request))).toMatchObject({ allowed: false, remedy });
  });
});

describe('Raw TCP, contradictions', () => {
  const { rows } = tables.find((table) => table.columns.includes('rules'))!;
  test.each(rows.map(([binding, lines, problem]) => ({ binding, lines: codeOf(lines!), problem: problem! })))('$binding $lines', ({ binding, lines, problem }) => {
    const { rules, problems } = parseRules(lines);
    expect(problems).toEqual([]);
    expect(findContradictions({ rules, bindings: bindingsOf(binding) })).toEqual([problem]);
    expect(parseDestinations({ allow: lines }, { bindings: bindingsOf(binding) }).problems).toEqual([`allow: ${problem}`]);
  });
});

describe('Raw TCP, what is no contradiction', () => {
  test.each(tables.filter(({ heading, columns }) => heading === 'Raw TCP' && columns.includes('verdict')).flatMap(({ rows }) => rows))('%s %s', (binding, lines) => {
    expect(findContradictions({ rules: parseRules(codeOf(lines!)).rules, bindings: bindingsOf(binding) })).toEqual([]);
  });
});

describe('What is refused', () => {
  const { rows } = tables.find((table) => table.columns.includes('problem') && table.columns.includes('rule'))!;
  test.each(rows.map(([rule, problem]) => ({ rule: codeOf(rule!)[0]!, problem: problem! })))('$rule', ({ rule, problem }) => {
    expect(parseRules([rule])).toEqual({ rules: [], problems: [problem] });
  });
});

function bindingsOf(cell = ''): Binding[] {
  return codeOf(cell).map((host) => {
    const pattern = parseHostPattern(host);
    if (!pattern.ok) throw new Error(pattern.problem);
    return { name: 'KEY', hosts: [pattern.value] };
  });
}

function endpointOf(request: string): Endpoint {
  const [, host, port] = /^tcp:\/\/([^/:]+):(\d+)$/.exec(request)!;
  return { host: normaliseHost(host!)!, port: Number(port) };
}

/** Not by `new URL`, which would resolve the very dot segments the table is about. */
function questionOf(request: string): Question {
  const [, method, scheme, host, port, path] = /^(\S+) (https?):\/\/([^/:]+)(?::(\d+))?(\/.*)$/.exec(request)!;
  return {
    method: method!,
    scheme: scheme as 'https' | 'http',
    host: normaliseHost(host!)!,
    port: port === undefined ? (scheme === 'https' ? 443 : 80) : Number(port),
    path: path!,
  };
}
