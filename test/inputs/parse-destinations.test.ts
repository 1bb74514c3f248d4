import { expect, test } from 'vitest';
import { parseDestinations } from '../../src/inputs/parse-destinations.ts';

const elsewhere = 'to reach a service of the host, give it a name such as `service.internal` in allow, and `service.internal:443:127.0.0.1:8443` in resolve';

test.each([
  ['127.0.0.1', '`127.0.0.1`'], ['LOCALHOST', '`localhost`'], ['localhost.:3000/x', '`localhost`'], ['**.db.localhost', '`db.localhost`'], ['GET 127.1.2.3', '`127.1.2.3`'],
])('a rule for the sandbox itself is refused, with resolve and without: %s', (rule, host) => {
  const problem = `allow: allow rule \`${rule}\`: ${host} is the sandbox itself: ${elsewhere}.`;
  expect(parseDestinations({ allow: [rule] }).problems).toEqual([problem]);
  expect(parseDestinations({ allow: [rule], resolve: ['localhost:80:127.0.0.1'] }).problems).toEqual([
    problem, `resolve: resolve \`localhost:80\`: \`localhost\` is the sandbox itself: ${elsewhere}.`,
  ]);
});

test.each(['0.0.0.0', '224.0.0.251', '255.255.255.255'])('so is one for an address that is no host\'s: %s', (rule) => {
  expect(parseDestinations({ allow: [rule] }).problems).toHaveLength(1);
});

test('a line of resolve that no rule or binding leads to is warned of', () => {
  const resolve = ['db.example:5432:10.0.0.5'];
  const warning = 'resolve: resolve `db.example:5432` changes nothing, since no rule lets anything through to it: add `db.example:5432` to allow, or `tcp://db.example:5432` where it is not HTTP.';
  for (const allow of [[], ['db.example'], ['tcp://db.example:5433'], ['other.example:5432']]) expect(parseDestinations({ allow, resolve }), allow.join()).toMatchObject({ problems: [], warnings: [warning] });
  for (const allow of [['db.example:5432'], ['tcp://db.example:5432'], ['*.example.com', 'GET db.example:5432/x']]) expect(parseDestinations({ allow, resolve }).warnings, allow.join()).toEqual([]);
  const bindings = [{ name: 'A', hosts: [{ kind: 'exact', name: 'db.example' } as const] }];
  expect(parseDestinations({ resolve: ['db.example:443:10.0.0.5'] }, { bindings }).warnings).toEqual([]);
  expect(parseDestinations({ resolve: ['db.example:8443:10.0.0.5'] }, { bindings }).warnings).toHaveLength(1);
});

test('all else is parsed as it is, private addresses included', () => {
  const { rules, resolve, problems } = parseDestinations({ allow: ['10.0.0.1', 'service.internal'], resolve: ['service.internal:443:127.0.0.1:8443'] });
  expect({ rules: rules.length, resolve: resolve.length, problems }).toEqual({ rules: 2, resolve: 1, problems: [] });
  expect(parseDestinations({ allow: ['*.com'], resolve: ['x'] }).problems).toHaveLength(2);
});
