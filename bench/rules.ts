// What a decision costs by the number of rules and secrets: medians in microseconds.
// npx esbuild bench/rules.ts --bundle --platform=node --format=esm --log-level=error | node --input-type=module
import { compilePolicy } from '../src/policy/compile-policy.ts';
import { parseRules } from '../src/policy/parse-rules.ts';
import { compileSecrets } from '../src/secrets/compile-secrets.ts';
import { mintSecrets } from '../src/secrets/mint-secrets.ts';
import { median } from './median.ts';

const rounds = 9;
const repetitions = 2_000;
const destination = { scheme: 'https', host: 'api.example.com', port: 443 } as const;
const question = { ...destination, method: 'POST', path: '/v1/chat/completions' };

for (const count of [10, 1_000, 10_000]) {
  const elsewhere = Array.from({ length: count - 1 }, (_, at) => `GET h${at}.example${at % 100}.com/v1/**`);
  const sameHost = Array.from({ length: count - 1 }, (_, at) => `POST api.example.com/v${at + 2}/things/*`);
  console.log(`${count} rules: for other hosts ${decideMicroseconds(elsewhere)} µs a decision, all for this host ${decideMicroseconds(sameHost)} µs`);
}
for (const count of [1, 20, 64]) {
  const secrets = compileSecrets(mintSecrets(Array.from({ length: count }, (_, at) => ({
    name: `KEY_${at}`, value: `sk-${Array.from({ length: 45 }, () => Math.floor(Math.random() * 36).toString(36)).join('')}`, hosts: [{ kind: 'exact' as const, name: destination.host }], hostTexts: [destination.host],
  }))));
  const rawHeaders = ['authorization', `Bearer ${secrets.list[0]!.placeholder}`, ...Array.from({ length: 12 }, (_, at) => [`x-header-${at}`, 'application/json; charset=utf-8']).flat()];
  console.log(`${count} secrets: ${microseconds(() => secrets.substituteRequest({ method: 'POST', url: question.path, rawHeaders, destination }))} µs to swap one in a request of 13 headers`);
}

function decideMicroseconds(others: string[]): string {
  const policy = compilePolicy({ rules: parseRules([...others, 'POST api.example.com/v1/**']).rules, bindings: [] });
  if (!policy.decide(question).allowed) throw new Error('the request is allowed by its last rule');
  return microseconds(() => policy.decide(question));
}

function microseconds(work: () => unknown): string {
  return median(Array.from({ length: rounds }, () => {
    const startedAt = performance.now();
    for (let at = 0; at < repetitions; at += 1) work();
    return ((performance.now() - startedAt) * 1e3) / repetitions;
  })).toFixed(2);
}
