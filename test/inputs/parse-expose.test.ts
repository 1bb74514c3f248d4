import { expect, test } from 'vitest';
import { parseExpose } from '../../src/inputs/parse-expose.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';

const context = (file?: string) => ({ file, rules: parseRules(['tcp://db.example.com:5432', 'api.example.com:8443']).rules, seenAt: (seen: string) => (seen.startsWith('/work') ? '/work' : null) });

test('lines become ports, each with its place on the host', () => {
  expect(parseExpose([' 8080 ', '', '# none', '3000:3001', '/run/user/1/pg.sock:6432'], context('/nowhere/exposed.json'))).toEqual({
    problems: [],
    expose: {
      file: '/nowhere/exposed.json',
      requests: [{ port: 8080, at: { kind: 'http', hostPort: null } }, { port: 3001, at: { kind: 'http', hostPort: 3000 } }, { port: 6432, at: { kind: 'socket', path: '/run/user/1/pg.sock' } }],
    },
  });
});

test.each<[string[], string]>([
  [['web'], '`web` does not end in a port from 1 to 65535: write the port of the sandbox, as `8080`'],
  [['0'], '`0` does not end in a port'],
  [['65536'], '`65536` does not end in a port'],
  [['-1'], '`-1` does not end in a port'],
  [['8080/udp'], '`8080/udp` does not end in a port'],
  [['0.0.0.0:8080'], '`0.0.0.0:8080` has no port of the host before the colon'],
  [['0.0.0.0:80:8080'], '`0.0.0.0:80:8080` has no port of the host before the colon'],
  [['0:8080'], '`0:8080` has no port of the host before the colon'],
  [[':8080'], '`:8080` has no port of the host before the colon'],
  [['relative.sock:8080'], '`relative.sock:8080` has no port of the host before the colon'],
  [['53'], '`53` is a port on which Decoy answers in the sandbox'],
  [['8080:443'], 'have the server listen on another one, such as 8443'],
  [['5432'], '`5432` is the port of the rule `tcp://db.example.com:5432`, on which Decoy answers'],
  [['8443'], '`8443` is the port of the rule `api.example.com:8443`'],
  [['8080', '3000:8080'], '`3000:8080` names port 8080 a second time'],
  [['3000:8080', '3000:8081'], '`3000:8081` has the place of another port'],
  [['/a/s:8080', '/a/s:8081'], '`/a/s:8081` has the place of another port'],
  [['/a/../s:8080'], 'has a path with `.`, `..` or a slash too many'],
  [['/a/:8080'], 'a slash too many'],
  [[`/${'a'.repeat(107)}:8080`], 'more than 107 bytes'],
  [['/work/s:8080'], '`/work/s:8080` has a socket that the sandbox could see by way of `/work`'],
  [Array.from({ length: 17 }, (_, index) => String(9000 + index)), '17 ports are too many: give at most 16'],
])('refused: %j', (lines, problem) => {
  expect(parseExpose(lines, context()).problems).toEqual([expect.stringContaining(problem)]);
});

test.each<[string[], string, string]>([
  [['8080'], '/work/exposed.json', 'expose-file: the sandbox could read `/work/exposed.json`, which holds the tokens, by way of `/work`'],
  [['8080'], '/tmp', 'expose-file: `/tmp` is a directory'],
  [[], '/nowhere/exposed.json', 'but `expose` names none'],
])('the file is refused: %j %s', (lines, file, problem) => {
  expect(parseExpose(lines, context(file)).problems).toEqual([expect.stringContaining(problem)]);
});
