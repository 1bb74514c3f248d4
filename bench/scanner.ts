// Searching bodies for 1, 20 and 64 secrets in every form: medians of GB per second of one core's time, beside a plain Buffer.indexOf for a single absent
// text and what share of its speed that is, and what a small body costs.
// npx esbuild bench/scanner.ts --bundle --platform=node --format=esm --log-level=error | node --input-type=module
import { compileNeedles } from '../src/secrets/compile-needles.ts';
import { compileSecrets } from '../src/secrets/compile-secrets.ts';
import { encodedForms } from '../src/secrets/encodings.ts';
import { formNeedle } from '../src/secrets/form-needle.ts';
import { mintSecrets } from '../src/secrets/mint-secrets.ts';

const CHUNK_BYTES = 64 * 1024;
const BODY_BYTES = 16 * 1024 * 1024;
const ROUNDS = 9;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ABSENT = Buffer.from('a text that no body holds, as long as a common key');
const DESTINATION = { scheme: 'https', host: 'api.example.com', port: 443 } as const;
const JSON_TEXT = JSON.stringify(Array.from({ length: 64 }, (_, id) => ({ id, name: `user ${id}`, email: `someone${id}@example.com`, text: 'the quick brown fox jumps over the lazy dog', tags: ['a', 'b'], ok: true })));

for (const [name, lengths] of Object.entries({ '8': [8], '48': [48], '8 to 96': [8, 20, 32, 40, 48, 51, 64, 96] })) {
  for (const count of [1, 20, 64]) measure(count, { name, lengths });
}

function measure(count: number, { name: lengthName, lengths }: { name: string; lengths: readonly number[] }): void {
  const minted = mintSecrets(Array.from({ length: count }, (_, at) => ({
    name: `KEY_${at}`,
    value: (at % 2 && lengths[at % lengths.length]! > 20 ? 'sk-proj-' : '') + randomText(LETTERS, lengths[at % lengths.length]!),
    hosts: [{ kind: 'exact' as const, name: DESTINATION.host }],
    hostTexts: [DESTINATION.host],
  })));
  const started = performance.now();
  const secrets = compileSecrets(minted);
  const scrubber = secrets.scrubberFor(DESTINATION.host)!;
  const compileMs = performance.now() - started;
  const forms = minted.flatMap(({ value, placeholder }) => [...encodedForms(value), ...encodedForms(placeholder)]);
  const needles = compileNeedles(forms.map((form) => formNeedle(form, form.text)));
  console.log(`\n${count} secrets of ${lengthName} characters, ${forms.length} forms, compiled in ${compileMs.toFixed(0)} ms`);
  for (const [kind, body] of Object.entries(bodies())) {
    const chunks = Array.from({ length: body.length / CHUNK_BYTES }, (_, at) => body.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES));
    const plain = perSecond(() => body.indexOf(ABSENT));
    const alone = perSecond(() => needles.find(body, 0));
    const outgoing = perSecond(() => {
      const scanner = secrets.createOutgoingScanner(DESTINATION);
      for (const chunk of chunks) scanner.push(chunk);
    });
    const incoming = perSecond(() => {
      const body = scrubber.createBodyScrubber();
      for (const chunk of chunks) body.push(chunk);
    });
    const share = (speed: number) => `${speed.toFixed(2)} (${(speed / plain).toFixed(2)})`;
    console.log(`  ${kind.padEnd(20)} indexOf ${plain.toFixed(2)}, search alone ${share(alone)}, outgoing scanner ${share(outgoing)}, response scrubber ${share(incoming)} GB/s`);
  }
  const small = Buffer.from(JSON_TEXT.slice(0, 512));
  const scrubbed = microseconds(() => {
    const body = scrubber.createBodyScrubber();
    body.push(small);
    body.flush();
  });
  const request = {
    method: 'POST', url: '/v1/chat/completions?stream=true', destination: DESTINATION,
    rawHeaders: Array.from({ length: 12 }, (_, at) => [`x-header-${at}`, randomText(LETTERS, 40)]).flat(),
  };
  const swapping = { ...request, rawHeaders: [...request.rawHeaders, 'authorization', `Bearer ${minted[0]!.placeholder}`] };
  console.log(`  512 bytes of JSON scrubbed: ${scrubbed} µs; ${12 * 52} bytes of headers: ${microseconds(() => secrets.substituteRequest(request))} µs, with a placeholder ${microseconds(() => secrets.substituteRequest(swapping))} µs`);
}

function bodies(): Record<string, Buffer> {
  return {
    JSON: Buffer.alloc(BODY_BYTES, JSON_TEXT),
    base64: Buffer.alloc(BODY_BYTES, randomText(LETTERS, 1_000_003)),
    'JSON of \\u escapes': Buffer.alloc(BODY_BYTES, String.raw`"\u0442\u0435\u043a\u0441\u0442 \u043d\u0430"`),
    binary: Buffer.alloc(BODY_BYTES, Buffer.from(Uint8Array.from({ length: 1_000_003 }, () => Math.floor(Math.random() * 256)))),
  };
}

function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[Math.floor(Math.random() * alphabet.length)]!).join('');
}

/** In GB/s. */
function perSecond(work: () => unknown): number {
  return BODY_BYTES / medianNanoseconds(work);
}

function microseconds(work: () => unknown): string {
  return (medianNanoseconds(() => { for (let at = 0; at < 1000; at += 1) work(); }) / 1e6).toFixed(1);
}

/** Of the processor's time, which on a machine with other work is less than the clock's. */
function medianNanoseconds(work: () => unknown): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) * 1000;
  });
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}
