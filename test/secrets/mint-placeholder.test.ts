import { describe, expect, it, test } from 'vitest';
import { mintPlaceholder } from '../../src/secrets/mint-placeholder.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { VENDOR_PREFIXES } from '../../src/secrets/vendor-prefixes.ts';

const fallback = /^DECOY_[0-9a-f]{48}$/;

describe('a placeholder keeps what its value looks like', () => {
  test.each([
    ['an OpenAI project key', 'sk-proj-aB3dE6gH9jK2mN5pQ8sT1v', 'sk-proj-', /^sk-proj-[A-Za-z0-9]{22}$/],
    ['an Anthropic key', 'sk-ant-api03-aB3_E6gH9jK2-N5pQ8sT1vAA', 'sk-ant-api03-', /^sk-ant-api03-[\w-]{24}$/],
    ['a GitHub token', `ghp_${'aB3dE6gH9'.repeat(4)}`, 'ghp_', /^ghp_[A-Za-z0-9]{36}$/],
    ['a Stripe key', 'sk_live_4eC39HqLyjWDarjtT1zdp7dc', 'sk_live_', /^sk_live_[A-Za-z0-9]{24}$/],
    ['a SendGrid key with its dots', `SG.${'aB3dE6gH9j2'.repeat(2)}.${'aB3dE6gH9j2'.repeat(3)}`, 'SG.', /^SG\.[A-Za-z0-9]{22}\.[A-Za-z0-9]{33}$/],
    ['lower hex', '0123456789abcdef0123456789abcdef', '', /^[0-9a-f]{32}$/],
    ['upper hex', '0123456789ABCDEF0123456789ABCDEF', '', /^[0-9A-F]{32}$/],
    ['digits', '0123456789'.repeat(3), '', /^[0-9]{30}$/],
    ['lower alphanumeric', 'abcdefghijklmnopqrstuvwxyz0123', '', /^[a-z0-9]{30}$/],
    ['base64 with padding', 'q83vEjRWeJq83+/0VniavN7wEjRWeA==', '', /^[A-Za-z0-9]{30}==$/],
    ['nothing that a path or a form would need escaped', `${'a+/Z'.repeat(50)}`, '', /^[A-Za-z0-9]{200}$/],
    ['a UUID', '123e4567-e89b-12d3-a456-426614174000', '', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/],
    ['too few digits for 96 bits', '0123456789'.repeat(2), 'DECOY_', fallback],
    ['a prefix and too little behind it', 'sk-proj-aB3dE6gH9jK2', 'DECOY_', fallback],
    ['fifteen characters', 'aB3dE6gH9jK2mN5', 'DECOY_', fallback],
    ['an AWS key id', 'AKIAIOSFODNN7EXAMPLE', '', /^[0-9A-Z]{20}$/],
    ['a passphrase', 'correct horse battery staple', 'DECOY_', fallback],
    ['beyond ASCII', 'pässwörter-sind-geheim-und-lang', 'DECOY_', fallback],
  ])('%s', (_, value, prefix, shape) => {
    const minted = mintPlaceholder(value);
    expect(minted.prefix).toBe(prefix);
    expect(minted.placeholder).toMatch(shape);
    expect(minted.placeholder).not.toContain(value);
  });
});

test('two secrets with one value get two placeholders', () => {
  const minted = new Set(Array.from({ length: 200 }, () => mintPlaceholder('0123456789abcdef0123456789abcdef').placeholder));
  expect(minted.size).toBe(200);
});

test('every character of the alphabet turns up about equally often', () => {
  const counts = new Map<string, number>();
  for (let round = 0; round < 1000; round += 1) {
    for (const char of mintPlaceholder('0123456789'.repeat(4)).placeholder) counts.set(char, (counts.get(char) ?? 0) + 1);
  }
  expect(counts.size).toBe(10);
  // 40,000 draws, 4,000 expected of each, standard deviation 60: beyond seven of them something is wrong.
  for (const count of counts.values()) expect(Math.abs(count - 4000)).toBeLessThan(420);
});

test('no prefix hides behind a shorter one', () => {
  VENDOR_PREFIXES.forEach((prefix, at) => {
    expect(VENDOR_PREFIXES.slice(0, at).filter((earlier) => prefix.startsWith(earlier))).toEqual([]);
  });
});

describe('mintSecrets', () => {
  const binding = (name: string, value: string) => ({ name, value, hosts: [], hostTexts: [] });

  it('mints no placeholder that holds the value of another secret', () => {
    // one hex pair in 2^16 positions: with 400 bindings of 4 digits some placeholder would hold it
    const secrets = mintSecrets([binding('SHORT', '4f1c'), ...Array.from({ length: 400 }, (_, at) => binding(`K${at}`, '0123456789abcdef'.repeat(4)))]);
    for (const { placeholder } of secrets) expect(placeholder).not.toContain('4f1c');
  });

  it('refuses a value that is part of every placeholder of another', () => {
    expect(() => mintSecrets([binding('PART', 'sk-proj-'), binding('WHOLE', 'sk-proj-aB3dE6gH9jK2mN5pQ8sT1v')])).toThrow(/`WHOLE`.*`PART`/);
  });
});
