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

test('all else is parsed as it is, private addresses included', () => {
  const { rules, resolve, problems } = parseDestinations({ allow: ['10.0.0.1', 'service.internal'], resolve: ['service.internal:443:127.0.0.1:8443'] });
  expect({ rules: rules.length, resolve: resolve.length, problems }).toEqual({ rules: 2, resolve: 1, problems: [] });
  expect(parseDestinations({ allow: ['*.com'], resolve: ['x'] }).problems).toHaveLength(2);
});
