import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/inputs/policy/parse-policy.ts';

const parse = (text: string, profile: string | null = null) => parsePolicy(Buffer.from(text), { file: 'p.yml', profile });
const problemsOf = (text: string, profile: string | null = null) => {
  const parsed = parse(text, profile);
  return parsed.ok ? [] : parsed.problems;
};

test('everything is read into the inputs it stands for, comments or not, as it is written', () => {
  const parsed = parse(`
version: 1
# what the tests need
allow: [GET api.github.com/repos/**, "*.example.com", tcp://db.example.com:5432]
secrets:
  OPENAI_API_KEY: { hosts: [api.openai.com, "*.openai.com"], in: [credentials, "query:a\\\\,b"], max: 2 }
  OTHER:
    hosts:
      - other.example.com
env: { A: text, B: 1.10, C: "no", D: "" , E: 'a=b' }
limits: { timeout: 5m, memory: 2g, cpus: 1.50, storage: 5g, pids: 512 }
resolve: [db.example.com:5432:10.0.0.5]
client-certificates:
  api.example.com: { certificate: /run/c.pem, key: /run/k.pem }
proxy-limits: { connections: 256, idle: 30s }
foreign-credentials: block
workspace: read-only
user: root
image: debian:12
runtime: runc
mode: observe
fail-on-blocked: true
shell: sh
working-directory: sub
`);
  expect(parsed).toMatchObject({ ok: true, value: { inputs: {
    allow: ['GET api.github.com/repos/**', '*.example.com', 'tcp://db.example.com:5432'],
    env: ['A=text', 'B=1.10', 'C=no', 'D=', 'E=a=b'], timeout: '5m', memory: '2g', cpus: '1.50', storage: '5g', pids: '512',
    resolve: ['db.example.com:5432:10.0.0.5'], clientCertificates: ['api.example.com=/run/c.pem,/run/k.pem'], proxyLimits: ['connections=256', 'idle=30s'],
    foreignCredentials: 'block', workspace: 'read-only', user: 'root', image: 'debian:12', runtime: 'runc', mode: 'observe', failOnBlocked: 'true', shell: 'sh', workingDirectory: 'sub',
  } } });
  expect(parsed.ok && Object.fromEntries(parsed.value.bindings)).toEqual({
    OPENAI_API_KEY: { hosts: ['api.openai.com', '*.openai.com'], options: [['in', 'credentials,query:a\\,b'], ['max', '2']] },
    OTHER: { hosts: ['other.example.com'], options: [] },
  });
});

test('a profile adds to lists and replaces single values', () => {
  const text = 'allow: [a.test]\nenv: {A: x, B: v}\nlimits: {timeout: 5m, memory: 1g}\nsecrets: {K: {hosts: [a.test], max: 2}}\nprofiles:\n  ci:\n    allow: [b.test]\n    env: {B: z}\n    limits: {timeout: 9m}\n    secrets: {K: {hosts: [b.test]}}\n  other: {allow: [c.test]}\n';
  const parsed = parse(text, 'ci');
  expect(parsed).toMatchObject({ ok: true, value: { inputs: { allow: ['a.test', 'b.test'], env: ['A=x', 'B=z'], timeout: '9m', memory: '1g' } } });
  expect(parsed.ok && parsed.value.bindings.get('K')).toEqual({ hosts: ['a.test', 'b.test'], options: [['max', '2']] });
  expect(parse(text)).toMatchObject({ value: { inputs: { allow: ['a.test'], timeout: '5m' } } });
  expect(problemsOf(text, 'c')).toEqual(['policy: `c` is not a profile of `p.yml`: write one of `ci`, `other`']);
  expect(problemsOf(text, 'othr')).toEqual(['policy: `othr` is not a profile of `p.yml`: write `other`']);
  expect(problemsOf('allow: [a.test]', 'ci')).toEqual(['policy: `ci` is not a profile of `p.yml`: it has none, so leave what stands behind the `#` out']);
});

describe('what is wrong is told with its place, its text and the remedy', () => {
  test.each<[string, string[]]>([
    ['alow: []', ['p.yml:1:1: `alow` is not a key of a policy file: write `allow`']],
    ['env:\n  A: x\ntimeout: 5m', ['p.yml:3:1: `timeout` is not a key of a policy file: write it below `limits`']],
    ['run: x', ['p.yml:1:1: `run` is not a key of a policy file: what is run stands in the workflow or on the command line: remove it here']],
    ['limits: {tmeout: 5m}', ['p.yml:1:10: `tmeout` is not a key of `limits`: write `timeout`']],
    ['version: 2', ['p.yml:1:10: version `2` is not known: write `1`']],
    ['allow:\n  - https://a.test\n  - b.test/x?y', [
      'p.yml:2:5: allow: allow rule `https://a.test`: a rule has no scheme: write `a.test`.', 'p.yml:3:5: allow: allow rule `b.test/x?…`: a rule has no query: write `b.test/x`.',
    ]],
    ['allow: a.test', ['p.yml:1:8: `allow` is a single value where a list belongs: write each of its lines as an item, `- …`']],
    ['allow:\n  - a.test: 443', ['p.yml:2:5: an item of `allow` is a mapping (`name: value`) where text belongs: put it into quotes, if it is text']],
    ['allow:\n  -', ['p.yml:2:4: an item of `allow` has no value: write one, or leave the key out']],
    // Traps of YAML.
    ['allow:\n  - *.example.com', ['p.yml:2:5: `*.example.com` is an alias to YAML, because of the star: put it into quotes, `"*.example.com"`']],
    ['allow:\n  - **.example.com/v1/**', ['p.yml:2:5: `**.example.com/v1/**` is an alias to YAML, because of the star: put it into quotes, `"**.example.com/v1/**"`']],
    ['env:\n  A: no', ['p.yml:2:6: the value of `A` is `no`, which some YAML readers take for text and others for true or false: put it into quotes']],
    ['env:\n  A: 010', ['p.yml:2:6: the value of `A` is `010`, a number that is read in different ways because of the zero before it: put it into quotes if it is text, or write it without']],
    ['limits: {pids: 0777}', ['p.yml:1:16: `pids` is `0777`, a number that is read in different ways because of the zero before it: put it into quotes if it is text, or write it without']],
    ['env:\n  A:', ['p.yml:2:5: the value of `A` has no value: write one, or `""` for the empty text']],
    ['a: &x [1]\nb: *x', ['p.yml:1:1: `a` is not a key of a policy file', 'p.yml:1:7: the anchor `&x` is of no use, as aliases are not read: remove it', 'p.yml:2:1: `b` is not a key of a policy file', 'p.yml:2:4: the alias `*x` is not read: write what it stands for, or put it into quotes if it is text']],
    ['env:\n  <<: {A: x}\n<<: {mode: observe}', ['p.yml:2:3: merge keys are not read: write the keys themselves, or a profile', 'p.yml:3:1: merge keys are not read']],
    ['mode: !!str observe\nuser: !x root', ['p.yml:2:10: the tag `!x` is not read: remove it, and put text into quotes']],
    ['mode: observe\nmode: enforce', ['p.yml:2:1: this key is given twice: leave one of them out']],
    ['mode: observe\n---\nmode: enforce', ['p.yml:2:1: a second YAML document begins here: write one alone, and use `profiles` for variants']],
    ['allow:\n\t- a.test', ['p.yml:2:1: ']],
    ['', ['policy: `p.yml` is empty: write `allow:` and the like into it, or leave `policy` out']],
    ['- a', ['p.yml:1:1: a policy file is a list where names with values belong: write `name: value` lines']],
    ['secrets: {K: {hosts: []}}', ['p.yml:1:14: secret `K` is bound to no host: write `hosts:` and a list of one or more']],
    ['secrets: {K: {hosts: [a.test], in: [heder:x], max: 0}}', ['p.yml:1:37: secret `K`: `heder:x` is not a place: write `credentials`, `header:NAME`, `query:KEY`, `path`, `body`, `body:FIELD`, `aws-sigv4`, `jwt` or `hmac-sha256:HEADER`, as in `;in=header:x-token`', 'p.yml:1:52: secret `K`: max `0` is not a number of occurrences: write a whole number from 1 to 1000, as in `;max=2`']],
    ['shell: fish', ['p.yml:1:8: shell: the shell `fish` is not known: use `bash`, `sh`, `python`, `node`, or a command line with `{0}` for the script\'s path']],
    ['proxy-limits: {conections: 2}', ['p.yml:1:16: proxy-limits: `conections` is not a limit: write one of `header-bytes`, `idle`, `connections`, `requests-running`, `requests-per-minute`, `memory`']],
    ['client-certificates: {a.test: {certificate: x}}', ['p.yml:1:23: `a.test` needs `certificate: FILE` and `key: FILE`, two paths without a comma: write both']],
    // Of every kind at once, a value that cannot be judged as a list or word beside those that can.
    ['limits: {memry: 2g, cpus: x, timeout: 40m, memory: 1}\nmode: obsrve\nimage: Not One\nsnapshot-to: Not One\nallow: a.test\nenv: {1A: x}', [
      'p.yml:1:10: `memry` is not a key of `limits`: write `memory`', 'p.yml:1:27: cpus: `x` is not a number: ', 'p.yml:1:39: timeout: `40m` is longer than the most of 30m: ', 'p.yml:1:52: memory: `1` is so many bytes, ',
      'p.yml:2:7: mode: `obsrve` is not one of `enforce`, `observe`: ', 'p.yml:3:8: image: `Not One` is not the reference of an image: ', 'p.yml:4:14: snapshot-to: `Not One` is not a name: ', 'p.yml:5:8: `allow` is a single value', 'p.yml:6:7: env: `1A` is not a variable name: ',
    ]],
    ['allow: [api.test, "tcp://api.test:443", "b.test/x?y"]\nexpose: [8080, "1:8080", 99999]\nvolumes: ["x:/cache", "y:/cache/x", "X:rel"]', [
      'p.yml:1:19: allow: allow rule `tcp://api.test:443`: the rule `api.test` lets only HTTP through there: ', 'p.yml:1:41: allow: allow rule `b.test/x?…`: a rule has no query: ',
      'p.yml:2:16: expose: `1:8080` names port 8080 a second time: ', 'p.yml:2:26: expose: `99999` does not end in a port ', 'p.yml:3:23: volumes: `y:/cache/x` has the name of another', 'p.yml:3:37: volumes: `X:rel` has the name `X`: ',
    ]],
    ['secrets: {K: {max: 0}, L: {in: [heder:x]}, M: {in: [path, path]}}', ['p.yml:1:14: secret `K` is bound to no host', 'p.yml:1:20: secret `K`: max `0`', 'p.yml:1:27: secret `L` is bound to no host', 'p.yml:1:33: secret `L`: `heder:x` is not a place', 'p.yml:1:47: secret `M` is bound to no host', 'p.yml:1:47: secret `M`: the place `path` is given twice']],
    ['services:\n  a: {imag: x, memory: lots, command: [[x]]}\n  b: {image: x, health-port: 80, workspace: rw}\n  c: {image: x}', [
      'p.yml:2:7: `imag` is not a key of a service: write `image`', 'p.yml:2:24: service `a`: memory: `lots` is not a size', 'p.yml:2:40: an item of `command` is a list',
      'p.yml:3:30: service `b`: health-port: `80` is a port on which Decoy answers', 'p.yml:3:45: service `b`: workspace: `rw` is not one of', 'p.yml:4:3: service `c`: nothing tells when it is up',
    ]],
    ['env: {A: &x text}\nmode: observe\nservices: {a: {image: *x, health-port: 80}}\nmode: observe', ['p.yml:1:13: the anchor `&x`', 'p.yml:3:23: the alias `*x` is not read', 'p.yml:3:40: service `a`: health-port: `80`', 'p.yml:4:1: this key is given twice']],
    // Another profile than the one that is used counts, too.
    ['profiles: {x: {alow: []}}', ['p.yml:1:16: `alow` is not a key of a profile: write `allow`']],
    ['profiles: {x: {limits: {memory: 1}, mode: obsrve}}', ['p.yml:1:33: memory: `1` is so many bytes', 'p.yml:1:43: mode: `obsrve` is not one of']],
    ['profiles:\n  x: {volumes: ["X:rel"], expose: [99999]}\n  y: {services: {web: {image: x}}, client-certificates: {"https://a.test": {certificate: c, key: k}}}', [
      'p.yml:2:17: volumes: `X:rel` has the name', 'p.yml:2:36: expose: `99999` does not', 'p.yml:3:18: service `web`: nothing tells when it is up', 'p.yml:3:58: client-certificates: `https://a.test` has a scheme',
    ]],
    // A profile is judged with what it is added to, and what is wrong there already is told once.
    ['allow: [api.test]\nexpose: [99999]\nprofiles:\n  x: {allow: ["tcp://api.test:443", "tcp://b.test:5432"], expose: [5432]}\n  y: {allow: [c.test]}', [
      'p.yml:2:10: expose: `99999` does not', 'p.yml:4:15: allow: allow rule `tcp://api.test:443`: the rule `api.test` lets only HTTP', 'p.yml:4:68: expose: `5432` is the port of the rule `tcp://b.test:5432`',
    ]],
    [`profiles:\n  x: {expose: [${Array.from({ length: 17 }, (_, index) => 9000 + index).join(', ')}]}`, ['p.yml:2:3: expose: 17 ports are too many']],
    // What the reader has guessed of text that is no YAML is not judged as a whole.
    ['services: {a: {image: x}\nallow: [a.test]', ['p.yml:']],
  ])('%j', (text, expected) => {
    const problems = problemsOf(text);
    expect(problems.length, problems.join('\n')).toBe(expected.length);
    expect(new Set(problems).size).toBe(problems.length);
    for (const [index, start] of expected.entries()) expect(problems[index]!.startsWith(start), `${problems[index]}\n${start}`).toBe(true);
  });
});

test.each([
  'secrets: {KEY: sk-live-value-0123456789}', 'secrets: {KEY: {value: sk-live-value-0123456789}}', 'secrets: {KEY: {hosts: ["a.test=sk-live-value-0123456789"]}}',
  'secrets: ["KEY@a.test=sk-live-value-0123456789"]', 'secrets: {"KEY@a.test=sk-live-value-0123456789": }', 'secrets: "KEY@a.test=sk-live-value-0123456789"', 'secrets: {KEY: [sk-live-value-0123456789]}',
])('the value of a secret is refused and not quoted: %s', (text) => {
  const problems = problemsOf(text).join('\n');
  expect(problems).toContain('never holds the value of a secret');
  expect(problems).not.toContain('sk-live');
});

test('bombs are refused: aliases by the million, brackets without end, a file of any size', () => {
  const levels = Array.from({ length: 20 }, (_, level) => `a${level}: &a${level} [${Array(9).fill(level === 0 ? 'x' : `*a${level - 1}`).join(', ')}]`);
  expect(problemsOf(levels.join('\n')).length).toBeGreaterThan(20);
  expect(problemsOf(`allow: ${'['.repeat(60_000)}`).length).toBeGreaterThan(0);
  expect(problemsOf(`allow: [${'a.test, '.repeat(10_000)}]`)).toEqual(['policy: `p.yml` is larger than 64 KiB: keep in it what differs from run to run, and use wildcards for long lists']);
  expect(parsePolicy(Buffer.from([0x61, 0xff]), { file: 'p.yml', profile: null })).toMatchObject({ ok: false, problems: ['policy: `p.yml` is not UTF-8 text: save it as such'] });
});
