import { describe, expect, it, test } from 'vitest';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import type { ResponseScrubber } from '../../src/secrets/compile-secrets.ts';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { boundSecret } from './bound-secret.ts';
import { seededRandom } from './random.ts';

const key = boundSecret('API_KEY', 'sk-proj-aB3/E6gH9jK2mN5pQ8sT1v+X', 'api.example.com');
const password = boundSecret('DB_PASSWORD', 'p"ä ss/w+rd', 'db.example.com');
const twin = boundSecret('TWIN', key.value, 'db.example.com');
const secrets = compileSecrets([key, password, twin]);
const scrubber = secrets.scrubberFor('api.example.com')!;

function scrub(chunks: Buffer[], by: ResponseScrubber = scrubber): Buffer {
  const body = by.createBodyScrubber();
  return Buffer.concat([...chunks.map((chunk) => body.push(chunk)), body.flush()]);
}

describe('every form becomes the placeholder in the same form, wherever the body is cut', () => {
  for (const secret of [key, password]) {
    test.each(encodedForms(secret.value).map((form) => [form.encoding, form.text, form] as const))(`${secret.name}, %s: %s`, (_, text, form) => {
      const body = Buffer.from(`{"echo":"${text}"}`, 'latin1');
      const expected = `{"echo":"${form.write(secret.placeholder)}"}`;
      for (let cut = 0; cut <= body.length; cut += 1) {
        expect(scrub([body.subarray(0, cut), body.subarray(cut)]).toString('latin1')).toBe(expected);
      }
      expect(scrub(Array.from(body, (byte) => Buffer.from([byte]))).toString('latin1')).toBe(expected);
    });
  }
});

describe('hexadecimal digits in a mixture of cases are found too, and replaced by lower-case ones', () => {
  test.each(encodedForms(password.value).filter(({ orText }) => orText !== undefined).map((form) => [form.encoding, form.text, form] as const))('%s: %s', (_, text, form) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed);
      const mixed = Array.from(text, (char, at) => (random.below(2) === 0 ? char : form.orText![at]!)).join('');
      const body = Buffer.from(`<${mixed}>`, 'latin1');
      if (mixed === form.orText) continue;
      expect(scrub(random.cut(body, 9)).toString('latin1'), `seed ${seed}`).toBe(`<${form.write(password.placeholder)}>`);
    }
  });
});

test('the output holds no form of a value, over random bodies and cuts', () => {
  const forms = [key, password].flatMap(({ value }) => encodedForms(value).map(({ text }) => Buffer.from(text, 'latin1')));
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seededRandom(seed);
    const piece = (): Buffer => {
      const form = forms[random.below(forms.length)]!;
      return [form, form.subarray(0, random.below(form.length)), form.subarray(random.below(form.length)), random.bytes(random.below(30))][random.below(4)]!;
    };
    // apart: a replacement and a cut value behind it could make up a whole one by chance
    const body = Buffer.concat(Array.from({ length: 12 }, () => Buffer.concat([piece(), Buffer.from([0])])));
    const out = scrub(random.cut(body, 1 + random.below(60)));
    expect(out.equals(scrub([body])), `seed ${seed}: depends on the cuts`).toBe(true);
    expect(forms.filter((form) => out.includes(form)), `seed ${seed}`).toEqual([]);
  }
});

test('traffic without secrets stays the same to the byte, over random bodies and cuts', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seededRandom(seed);
    const teaser = Buffer.from(key.value.slice(0, random.below(key.value.length)));
    const body = Buffer.concat([random.bytes(random.below(500)), teaser, Buffer.from([0]), random.bytes(random.below(500)), teaser]);
    expect(scrub(random.cut(body, 1 + random.below(200))).equals(body), `seed ${seed}`).toBe(true);
  }
});

describe('a body scrubber', () => {
  it('passes a server-sent event on at once', () => {
    const body = scrubber.createBodyScrubber();
    const event = Buffer.from('data: {"delta":"hello"}\n\n');
    expect(body.push(event)).toEqual(event);
  });

  it('holds back no more than what begins like a value', () => {
    const body = scrubber.createBodyScrubber();
    expect(body.push(Buffer.from('data: sk-proj-aB3')).toString()).toBe('data: ');
    expect(body.push(Buffer.from('?\n\n')).toString()).toBe('sk-proj-aB3?\n\n');
  });

  it('counts per secret', () => {
    const body = scrubber.createBodyScrubber();
    body.push(Buffer.from(`${key.value} ${encodeURIComponent(key.value)} ${password.value}`));
    body.flush();
    expect(body.counts()).toEqual([{ name: 'API_KEY', scrubs: 2 }, { name: 'DB_PASSWORD', scrubs: 1 }]);
  });

  it('keeps Basic credentials decodable; the last character shares base64 digits with what follows and may differ', () => {
    const echoed = Buffer.from(`user:${key.value}\n`).toString('base64');
    const decoded = Buffer.from(scrub([Buffer.from(echoed)]).toString(), 'base64').toString('latin1');
    expect(decoded).toHaveLength(`user:${key.value}\n`.length);
    expect(decoded.startsWith(`user:${key.placeholder.slice(0, -1)}`)).toBe(true);
  });
});

it('puts in the placeholder of the host that answers where two secrets have one value', () => {
  expect(scrub([Buffer.from(key.value)], secrets.scrubberFor('db.example.com')!).toString()).toBe(twin.placeholder);
  expect(scrub([Buffer.from(key.value)]).toString()).toBe(key.placeholder);
});

it('is there for hosts with a bound secret only', () => {
  expect(secrets.scrubberFor('example.com')).toBeNull();
  expect(compileSecrets([]).scrubberFor('api.example.com')).toBeNull();
});

describe('headers', () => {
  it('are scrubbed, in values and reason phrases', () => {
    expect(scrubber.scrubHeaderValue(`bad key ${key.value}`)).toEqual({ text: `bad key ${key.placeholder}`, counts: [{ name: 'API_KEY', scrubs: 1 }] });
    expect(scrubber.scrubHeaders(['Location', `/x?k=${encodeURIComponent(key.value)}`, 'X', 'y'])).toEqual({
      rawHeaders: ['Location', `/x?k=${encodeURIComponent(key.placeholder)}`, 'X', 'y'], counts: [{ name: 'API_KEY', scrubs: 1 }],
    });
  });

  it('are left out where the name holds a value', () => {
    const result = scrubber.scrubHeaders([`x-${key.value}`, 'v', 'a', 'b']);
    expect(result).toEqual({ rawHeaders: ['a', 'b'], counts: [{ name: 'API_KEY', scrubs: 1 }] });
  });

  it('are the very array where nothing was found', () => {
    const rawHeaders = ['a', 'b'];
    expect(scrubber.scrubHeaders(rawHeaders).rawHeaders).toBe(rawHeaders);
  });
});
