// Searching a body for 20 secrets in every form: medians of GB/s on one core.
// npx esbuild bench/scanner.ts --bundle --platform=node --format=esm --log-level=error | node --input-type=module
import { compileNeedles } from '../src/secrets/compile-needles.ts';
import { compileSecrets } from '../src/secrets/compile-secrets.ts';
import { encodedForms } from '../src/secrets/encodings.ts';
import { mintSecrets } from '../src/secrets/mint-secrets.ts';

const CHUNK_BYTES = 64 * 1024;
const BODY_BYTES = 16 * 1024 * 1024;
const ROUNDS = 9;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

for (const valueLength of [8, 48]) {
  const secrets = compileSecrets(mintSecrets(Array.from({ length: 20 }, (_, at) => ({
    name: `KEY_${at}`,
    value: (at % 2 && valueLength > 20 ? 'sk-proj-' : '') + randomText(LETTERS, valueLength),
    hosts: [{ kind: 'exact' as const, name: 'api.example.com' }],
    hostTexts: ['api.example.com'],
  }))));
  const forms = secrets.list.flatMap(({ value, placeholder }) => [...encodedForms(value), ...encodedForms(placeholder)].map(({ text }) => text));
  const alternation = new RegExp(forms.sort((a, b) => b.length - a.length).map((text) => text.replaceAll(/[^\w]/g, '\\$&')).join('|'));
  const needles = compileNeedles(forms.map((text) => ({ bytes: Buffer.from(text, 'latin1'), tag: text })));
  console.log(`20 secrets of ${valueLength} characters, ${forms.length} forms`);
  for (const [kind, body] of Object.entries(bodies())) {
    const chunks = Array.from({ length: body.length / CHUNK_BYTES }, (_, at) => body.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES));
    report(kind, 'search alone', () => needles.find(body, 0));
    report(kind, 'outgoing scanner', () => {
      const scanner = secrets.createOutgoingScanner({ scheme: 'https', host: 'api.example.com', port: 443 });
      for (const chunk of chunks) scanner.push(chunk);
    });
    report(kind, 'response scrubber', () => {
      const scrubber = secrets.scrubberFor('api.example.com')!.createBodyScrubber();
      for (const chunk of chunks) scrubber.push(chunk);
    });
    report(kind, 'one RegExp of all forms', () => alternation.test(body.toString('latin1', 0, CHUNK_BYTES)), CHUNK_BYTES);
  }
  const request = {
    method: 'POST', url: '/v1/chat/completions?stream=true', destination: { scheme: 'https', host: 'api.example.com', port: 443 } as const,
    rawHeaders: Array.from({ length: 12 }, (_, at) => [`x-header-${at}`, randomText(LETTERS, 40)]).flat(),
  };
  const swapping = { ...request, rawHeaders: [...request.rawHeaders, 'authorization', `Bearer ${secrets.list[0]!.placeholder}`] };
  console.log(`  a request without a placeholder: ${microseconds(() => secrets.substituteRequest(request))} µs, with one: ${microseconds(() => secrets.substituteRequest(swapping))} µs`);
}

function bodies(): Record<string, Buffer> {
  const json = JSON.stringify(Array.from({ length: 64 }, (_, id) => ({ id, name: `user ${id}`, email: `someone${id}@example.com`, text: 'the quick brown fox jumps over the lazy dog', tags: ['a', 'b'], ok: true })));
  return {
    JSON: Buffer.alloc(BODY_BYTES, json),
    base64: Buffer.alloc(BODY_BYTES, randomText(LETTERS, 1_000_003)),
    'JSON of \\u escapes': Buffer.alloc(BODY_BYTES, String.raw`"\u0442\u0435\u043a\u0441\u0442 \u043d\u0430"`),
    binary: Buffer.alloc(BODY_BYTES, Buffer.from(Uint8Array.from({ length: 1_000_003 }, () => Math.floor(Math.random() * 256)))),
  };
}

function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[Math.floor(Math.random() * alphabet.length)]!).join('');
}

function report(kind: string, what: string, work: () => unknown, bytes: number = BODY_BYTES): void {
  console.log(`  ${kind.padEnd(20)} ${what.padEnd(24)} ${(bytes / medianNanoseconds(work)).toFixed(3)} GB/s`);
}

function microseconds(work: () => unknown): string {
  return (medianNanoseconds(() => { for (let at = 0; at < 1000; at += 1) work(); }) / 1e6).toFixed(1);
}

function medianNanoseconds(work: () => unknown): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - start);
  });
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}
