import { isIPv6 } from 'node:net';
import { expect, test } from 'vitest';
import { parseIpv6 } from '../../src/policy/parse-ipv6.ts';

test('every spelling is read as the URL parser reads it', () => {
  const groups = ['0', '1', '00ab', 'FFFF', 'ffff', '64', 'ff9b', '5efe'];
  const tails = ['', ':8.8.8.8', ':127.0.0.1', ':255.255.0.1'];
  let random = 12_345;
  const pick = <T>(from: readonly T[]): T => from[(random = (random * 1_103_515_245 + 12_345) % 2 ** 31) % from.length]!;
  let checked = 0;
  for (let i = 0; i < 4000; i += 1) {
    const before = Array.from({ length: pick([0, 1, 2, 3, 5, 6]) }, () => pick(groups)).join(':');
    const after = Array.from({ length: pick([0, 1, 2, 3]) }, () => pick(groups)).join(':');
    const text = `${before}${pick(['::', '::', ':'])}${after}${pick(tails)}`.replace(':::', '::');
    if (!isIPv6(text)) continue;
    checked += 1;
    const expected = new URL(`http://[${text}]/`).hostname;
    expect(new URL(`http://[${parseIpv6(text).toNormalizedString()}]/`).hostname, text).toBe(expected);
  }
  expect(checked).toBeGreaterThan(1000);
});
