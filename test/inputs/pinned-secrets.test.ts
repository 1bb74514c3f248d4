import { describe, expect, test } from 'vitest';
import { parseInputs } from '../../src/inputs/parse-inputs.ts';
import { parseSecretBindings, parseSecretLines, parseSecretOptions } from '../../src/inputs/parse-secrets.ts';
import { quotedSecretWarnings } from '../../src/inputs/quoted-secrets.ts';
import { secretMasks } from '../../src/inputs/secret-masks.ts';

const places = (text: string) => parseSecretLines(`A@x.example${text}=value-of-a`).secrets.map(({ pins, value }) => [pins?.places.map((place) => place.text), pins?.max, value]);

describe('a line of the input', () => {
  test.each([
    ['', undefined, undefined],
    [';in=credentials', ['credentials'], 1],
    [';in=header:X-Token', ['header:x-token'], 1],
    [';in=header:cookie', ['header:cookie'], 1],
    [';in=query:key,path', ['query:key', 'path'], 1],
    [';in=body:auth.token, header:x-token', ['body:auth.token', 'header:x-token'], 1],
    [';in=body;max=3', ['body'], 3],
    ['; max=2 ; in=path', ['path'], 2],
    [';max=2', ['credentials'], 2],
    [';in=aws-sigv4,jwt,hmac-sha256:X-Hub-Signature-256', ['aws-sigv4', 'jwt', 'hmac-sha256:x-hub-signature-256'], 1],
    [String.raw`;in=query:a\,b\=c`, [String.raw`query:a\,b\=c`], 1],
  ])('%s', (text, texts, max) => {
    expect(places(text)).toEqual([[texts, max, 'value-of-a']]);
  });

  test('the first `=` behind the options begins the value, which may hold anything', () => {
    const lines = ['A@x.example;in=query:key=value;max=2=of<<a', 'B@x.example;in=path;max=2==value-of-b', 'C@x.example;max=3<<END', 'value;in=path=c', 'END'];
    expect(parseSecretLines(lines.join('\n'))).toMatchObject({
      problems: [],
      secrets: [{ value: 'value;max=2=of<<a', pins: { max: 1 } }, { value: '=value-of-b', pins: { max: 2 } }, { value: 'value;in=path=c', pins: { max: 3 } }],
    });
  });

  test('its value is masked, and of a refused line whatever may be one', () => {
    const text = 'A@x.example;in=query:key=value-of-a\nB@x.example;in=path<<END\nvalue-of-b\nEND\nC@x.example;token=value-of-c\nD@x.example;in=nowhere=value-of-d';
    const masks = secretMasks(text, parseSecretLines(text).secrets);
    for (const value of ['value-of-a', 'value-of-b', 'value-of-c', 'value-of-d']) expect(masks).toContain(value);
    expect(masks).not.toContain('query:key=value-of-a');
  });
});

test('a value in quotes is taken with them, warned of, and masked without them, too', () => {
  const text = 'A@x.example="value-of-a"\nB@x.example=\'value-of-b\'\nC@x.example="value"-of-c\nD@x.example=""value-of-d\nUNBOUND="value-of-e"';
  const { secrets } = parseSecretLines(text);
  expect(secrets[0]!.value).toBe('"value-of-a"');
  expect(secretMasks(text, secrets)).toEqual(expect.arrayContaining(['"value-of-a"', 'value-of-a', "'value-of-b'", 'value-of-b', 'value-of-e']));
  const inputs = parseInputs({ command: ['true'], workspace: 'none' }, { secrets: { secrets, problems: [] }, workspacePath: '/', homePath: '/root' });
  expect(inputs.ok && inputs.warnings).toEqual(['A', 'B'].map((name) =>
    `secret \`${name}\`: the quotes around the value are part of it, and are sent with it: remove them, unless the credential has them itself.`));
  expect(quotedSecretWarnings(parseSecretOptions(['A@x.example'], { A: "'value-of-a'" }).secrets)).toHaveLength(1);
});

test('an option of the command line', () => {
  expect(parseSecretOptions(['A@x.example,y.example;in=query:key;max=2'], { A: 'value-of-a' })).toMatchObject({
    problems: [], secrets: [{ name: 'A', hostTexts: ['x.example', 'y.example'], value: 'value-of-a', pins: { places: [{ kind: 'query', key: 'key' }], max: 2 } }],
  });
  const { problems } = parseSecretOptions(['A@x.example;in=query:key=value-of-a'], { A: 'value-of-a' });
  expect(problems.join()).toMatch(/^--secret `A` must be .* without a value/);
  expect(problems.join()).not.toContain('value-of-a');
  expect(parseSecretBindings(['A@x.example;in=path', 'B@x.example;in=here']).problems).toEqual([
    'secret `B`: `here` is not a place: write `credentials`, `header:NAME`, `query:KEY`, `path`, `body`, `body:FIELD`, `aws-sigv4`, `jwt` or `hmac-sha256:HEADER`, as in `;in=header:x-token`',
  ]);
});

test.each([
  ['A@x.example;max', '--secret `A`: `;max` says nothing: write `;max=2`, or leave it out'],
  ['A@x.example;in', '--secret `A`: `;in` says nothing: write `;in=header:x-token`, or leave it out'],
  ['A@x.example;in=path;max', '--secret `A`: `;max` says nothing: write `;max=2`, or leave it out'],
  ['A@x.example;max=', 'secret `A`: `;max=` has no number: write one, as in `;max=2`, or leave it out'],
  ['A@x.example;max=0', 'secret `A`: max `0` is not a number of occurrences: write a whole number from 1 to 1000, as in `;max=2`'],
  ['A@x.example;in=', 'secret `A`: `;in=` names no place: write one or more, as in `;in=header:x-token`, or leave it out'],
  ['A@x.example;in=header=x-token', '--secret `A`: `header=` is not how a place begins: write a colon, as in `;in=header:x-token`'],
  ['A@x.example;in=path,body=x', '--secret `A`: `body=` is not how a place begins: write a colon, as in `;in=body:auth.token`'],
  ['A@x.example;place=path', 'secret `A` has an option that is neither `;in=` nor `;max=`: write them as in `A@host;in=header:x-token,path;max=2`'],
])('%s, on the command line', (option, problem) => {
  expect(parseSecretOptions([option], { A: 'value-of-a' })).toEqual({ secrets: [], problems: [problem] });
  expect(parseSecretBindings([option]).problems).toEqual([problem]);
});

test('what may be a value is quoted by none of these', () => {
  for (const option of ['A@x.example;hunter22', 'A@x.example;token=hunter22', 'A@x.example;in=path=hunter22', 'A@x.example;max=2=hunter22', 'A@x.example;in=header=hunter22', 'A@x.example;max;hunter22']) {
    expect(parseSecretOptions([option], { A: 'value-of-a' }).problems.join(), option).toMatch(/^(?!.*hunter22)./);
  }
});

describe('a place that cannot be one', () => {
  test.each([
    ['', '`;in=` names no place: write one or more, as in `;in=header:x-token`'],
    ['path,', 'a comma in `;in=` has no place before or behind it: write `credentials`, `header:NAME`'],
    ['cookies', '`cookies` is not a place: write'],
    ['header', '`header` has no name: write `header:NAME`'],
    ['hmac-sha256', '`hmac-sha256` names no header: write `hmac-sha256:HEADER`'],
    ['hmac-sha256:a b', '`hmac-sha256:a b` names no header'],
    ['hmac-sha256:host', '`hmac-sha256:host` is a header that says how or where the request is sent'],
    ['jwt:x', '`jwt:x` is not a place'],
    ['query', '`query` has no name: write `query:KEY`'],
    ['query:', '`query:` has no key: write `query:KEY`'],
    ['header:', '`header:` names no header'],
    ['header:x y', '`header:x y` names no header: write one such as `header:x-token`'],
    ['path:1', '`path:1` is not a place'],
    ['body:', '`body:` has an empty step'],
    ['body:a..b', '`body:a..b` has an empty step'],
    ['path,path', '`path` is given twice'],
    ['body,body:a', '`body` is anywhere in the body, `body:a` only a part of it'],
    ...['Host', 'content-length', 'Transfer-Encoding', 'connection', 'content-type', 'proxy-authorization', 'te', 'x-original-url', 'range'].map((name): [string, string] => [
      `header:${name}`, `\`header:${name}\` is a header that says how or where the request is sent, not who sends it: pin the secret to another one`,
    ]),
  ])('%s', (text, problem) => {
    const { secrets, problems } = parseSecretLines(`A@x.example;in=${text}=value-of-a`);
    expect(secrets).toEqual([]);
    expect(problems.join('\n')).toContain(problem);
    expect(problems.join('\n')).not.toContain('value-of-a');
  });

  test('all of them are told at once', () => {
    expect(parseSecretLines('A@x.example;in=here,header:host,there;max=x=value-of-a').problems).toHaveLength(4);
  });
});

test('a field is a path of keys and indices, and the name of a form field', () => {
  const field = (text: string) => parseSecretLines(`A@x.example;in=body:${text}=value-of-a`).secrets[0]!.pins!.places[0];
  expect(field('auth.token')).toEqual({ kind: 'field', text: 'body:auth.token', name: 'auth.token', steps: ['auth', 'token'] });
  expect(field('*.0.key')).toMatchObject({ steps: [null, '0', 'key'] });
  expect(field(String.raw`a\.b.\*`)).toMatchObject({ name: 'a.b.*', steps: ['a.b', '*'] });
});
