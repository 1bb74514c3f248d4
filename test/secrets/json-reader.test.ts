import { describe, expect, it, test } from 'vitest';
import type { BodySink } from '../../src/secrets/body-reader.ts';
import { createJsonReader, MAX_JSON_DEPTH } from '../../src/secrets/json-reader.ts';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
import type { FieldStep } from '../../src/secrets/place.ts';
import { seededRandom, type Random } from './random.ts';

type Found = { fields: number[]; raw: string; decoded: string };

/** Reads chunks and tells the values found, what all pieces together are, and the problem. */
function read(chunks: readonly Buffer[], fields: readonly (readonly FieldStep[])[]): { found: Found[]; passed: Buffer; problem: string | null } {
  const found: Found[] = [];
  const passed: Buffer[] = [];
  const sink: BodySink = {
    outside: (raw) => void passed.push(Buffer.from(raw)),
    open: (opened) => void found.push({ fields: [...opened], raw: '', decoded: '' }),
    inside({ raw, decoded, ends }) {
      passed.push(Buffer.from(raw));
      expect(ends!.length).toBe(decoded.length);
      expect(ends!.at(-1)).toBe(raw.length);
      const last = found.at(-1)!;
      last.raw += raw.toString('latin1');
      last.decoded += decoded.toString('latin1');
    },
    close: () => undefined,
  };
  const reader = createJsonReader(fields);
  let problem: string | null = null;
  for (const chunk of chunks) problem ??= reader.push(chunk, sink);
  problem ??= reader.end(sink);
  return { found, passed: Buffer.concat(passed), problem };
}

function steps(...texts: string[]): (readonly FieldStep[])[] {
  return texts.map((text) => {
    const [place] = parsePlaces(`body:${text}`).places;
    return place!.kind === 'field' ? place!.steps : [];
  });
}

const everySplit = (body: Buffer): Buffer[][] => [[body], ...Array.from({ length: body.length - 1 }, (_, at) => [body.subarray(0, at + 1), body.subarray(at + 1)]), Array.from(body, (byte) => Buffer.from([byte]))];

describe('where a field is', () => {
  test.each<[path: string, json: string, values: string[]]>([
    ['a', '{"a":"x"}', ['x']],
    ['a', '{"b":"x","a":"y","a":"z"}', ['y', 'z']],
    ['a', '{"b":{"a":"x"},"c":["a"]}', []],
    ['a', '{"a":{"a":"x"}}', []],
    ['a.b', '{"a":{"b":"x","c":"y"},"b":"z"}', ['x']],
    ['a.0.b', '{"a":[{"b":"x"},{"b":"y"}]}', ['x']],
    ['a.1', '{"a":["x","y","z"]}', ['y']],
    ['a.1', '{"a":{"1":"x","01":"y"}}', ['x']],
    ['a.*.k', '{"a":[{"k":"x"},{"k":"y"},{"l":"z"}]}', ['x', 'y']],
    ['*', '{"a":"x","b":["y"],"c":1}', ['x']],
    ['0', '["x","y"]', ['x']],
    ['*.*', '[["x",["y"]],{"k":"z"},"w"]', ['x', 'z']],
    [String.raw`a\.b`, '{"a":{"b":"x"},"a.b":"y"}', ['y']],
    [String.raw`\*`, '{"a":"x","*":"y"}', ['y']],
    ['key', String.raw`{"\u006b\u0065y":"x"}`, ['x']],
    ['schlüssel', String.raw`{"schl\u00FCssel":"x","schlüssel":"y"}`, ['x', 'y']],
    ['🔑', String.raw`{"\ud83d\udd11":"x","🔑":"y"}`, ['x', 'y']],
    ['a"b', String.raw`{"a\"b":"x"}`, ['x']],
    ['a', `{"${'a'.repeat(500)}":"x","a":"y"}`, ['y']],
    ['a.b', ' { "a" : [ 1 , true , null , -0.5e+3 ] , "a" : { "b" : "x" } } ', ['x']],
  ])('%s in %s', (path, json, values) => {
    const body = Buffer.from(json);
    for (const chunks of everySplit(body)) {
      const { found, passed, problem } = read(chunks, steps(path));
      expect(problem).toBeNull();
      expect(found.map(({ decoded }) => decoded)).toEqual(values);
      expect(passed.equals(body)).toBe(true);
    }
  });

  it('unescapes what it finds', () => {
    const { found } = read([Buffer.from(String.raw`{"a":"\u0044\/\"\\\b\f\n\r\t\u00e9é\ud83d\udd11"}`)], steps('a'));
    expect(found[0]!.decoded).toBe('D/"\\\b\f\n\r\t\xff\xc3\xa9\xff\xff');
  });
});

describe('what is no JSON', () => {
  test.each([
    '', ' ', '{', '[', '"a', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '[1,]', '[,1]', '[1 2]', '{a:1}', "{'a':1}", '{"a" 1}', '{"a":1 "b":2}', '{1:2}', '[1]]', '1 2', '{}{}',
    '01', '-', '1.', '.5', '1e', '1e+', '+1', '0x1', '1.e1', '--1', 'NaN', 'Infinity', 'tru', 'truee', 'True', 'nul', '[nulll]',
    '"\u0001"', '"\n"', '"\t"', String.raw`"\x41"`, String.raw`"\u12"`, String.raw`"\u12g4"`, String.raw`"\U0041"`, '"\\', '\ufeff{}', '/**/{}', '{}//', '{"a":undefined}', '\u00a0{}', '\v{}',
    ']', '}', ':', ',', '[}', '{]', '{"a":[}]',
  ])('%j', (json) => {
    const body = Buffer.from(json);
    expect(() => JSON.parse(json)).toThrow();
    for (const chunks of body.length === 0 ? [[]] : everySplit(body)) expect(read(chunks, steps('a', '*')).problem).not.toBeNull();
  });

  test.each([
    ['80', 'continuation without a lead'], ['c080', 'overlong'], ['c1bf', 'overlong'], ['e08080', 'overlong'], ['eda080', 'a surrogate'], ['f08080af', 'overlong'], ['f4908080', 'beyond U+10FFFF'],
    ['f5808080', 'beyond U+10FFFF'], ['c3', 'cut'], ['e282', 'cut'], ['fe', 'never'], ['ff', 'never'],
  ])('bytes %s: %s', (hex) => {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(hex, 'hex'), Buffer.from('"}')]);
    for (const chunks of everySplit(body)) for (const path of ['a', 'b']) expect(read(chunks, steps(path)).problem).toBe('is not valid UTF-8');
  });

  it('nests as deep as is said, and no deeper', () => {
    const nested = (depth: number) => [Buffer.from('['.repeat(depth) + ']'.repeat(depth))];
    expect(read(nested(MAX_JSON_DEPTH), steps('a')).problem).toBeNull();
    expect(read(nested(MAX_JSON_DEPTH + 1), steps('a')).problem).toBe(`is nested deeper than ${MAX_JSON_DEPTH} levels`);
  });
});

describe('agrees with JSON.parse', () => {
  it('on what is JSON: 10,000 texts, whole and damaged, cut anywhere', () => {
    const random = seededRandom(11);
    let accepted = 0;
    for (let round = 0; round < 10_000; round += 1) {
      const body = damage(Buffer.from(randomJson(random, 4)), random);
      const { problem, passed } = read(random.cut(body, 7), steps('a', '*.b', 'a.*.0'));
      expect(problem === null, body.toString('latin1')).toBe(isJson(body));
      if (problem === null) expect(passed.equals(body)).toBe(true);
      accepted += problem === null ? 1 : 0;
    }
    expect(accepted).toBeGreaterThan(2_000);
    expect(accepted).toBeLessThan(8_000);
  });

  it('on where strings are: 3,000 texts', () => {
    const random = seededRandom(12);
    const paths = ['a', '*', 'a.b', '*.1', 'b.*.a', '*.*.*'];
    const fields = steps(...paths);
    let values = 0;
    for (let round = 0; round < 3_000; round += 1) {
      const json = `{"a":${randomJson(random, 3)},"b":${randomJson(random, 4)}}`;
      const expected = stringsOf(JSON.parse(json), [], fields);
      const found = read(random.cut(Buffer.from(json), 9), fields).found.map((one) => ({ fields: one.fields, value: JSON.parse(`"${Buffer.from(one.raw, 'latin1')}"`) as string }));
      expect(found, json).toEqual(expected);
      values += found.length;
    }
    expect(values).toBeGreaterThan(1_000);
  });
});

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
    return true;
  } catch {
    return false;
  }
}

function stringsOf(value: unknown, path: string[], fields: readonly (readonly FieldStep[])[]): { fields: number[]; value: string }[] {
  if (typeof value === 'string') {
    const matching = fields.flatMap((field, index) => (field.length === path.length && field.every((step, at) => step === null || step === path[at]) ? [index] : []));
    return matching.length === 0 ? [] : [{ fields: matching, value }];
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) => stringsOf(item, [...path, key], fields));
}

/** JSON in many spellings, without duplicate or numeric keys, whose order JSON.parse would not keep. */
function randomJson(random: Random, depth: number): string {
  const pick = <T>(choices: readonly T[]): T => choices[random.below(choices.length)]!;
  const space = (): string => pick(['', '', '', ' ', '\n', '\t\r ']);
  const chars = ['a', 'b', 'é', '€', '🔑', ' ', '/', String.raw`\/`, String.raw`\"`, String.raw`\\`, String.raw`\n`, String.raw`\u0061`, String.raw`\uD83D\uDD11`, String.raw`\ud800`];
  const text = (): string => Array.from({ length: random.below(5) }, () => pick(chars)).join('');
  const number = (): string => `${pick(['', '-'])}${pick(['0', '7', '120'])}${pick(['', '.5', '.05'])}${pick(['', 'e1', 'E+2', 'e-03'])}`;
  const items = Array.from({ length: random.below(4) });
  switch (depth === 0 ? 2 + random.below(3) : random.below(5)) {
    case 0: return `[${space()}${items.map(() => `${randomJson(random, depth - 1)}${space()}`).join(`,${space()}`)}]`;
    case 1: {
      const keys = ['a', 'b', String.raw`c\u0063`, `é${text()}x`];
      return `{${space()}${items.map((_, at) => `"${keys[at]}"${space()}:${space()}${randomJson(random, depth - 1)}`).join(`,${space()}`)}${space()}}`;
    }
    case 2: return `"${text()}"`;
    case 3: return number();
    default: return pick(['true', 'false', 'null']);
  }
}

/** Half of the time: a byte changed, left out, put in or the rest cut off. */
function damage(body: Buffer, random: Random): Buffer {
  if (body.length === 0 || random.below(2) === 0) return body;
  const at = random.below(body.length);
  const byte = random.below(3) === 0 ? random.bytes(1) : Buffer.from('[]{}:,"\\eE.-+019 tu\n'[random.below(20)]!);
  switch (random.below(4)) {
    case 0: return body.subarray(0, at);
    case 1: return Buffer.concat([body.subarray(0, at), body.subarray(at + 1)]);
    case 2: return Buffer.concat([body.subarray(0, at), byte, body.subarray(at)]);
    default: return Buffer.concat([body.subarray(0, at), byte, body.subarray(at + 1)]);
  }
}
