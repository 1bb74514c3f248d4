import type { RunConfig } from '../config.ts';
import { quote } from '../policy/quote.ts';
import { parseReference } from '../sandbox/image/parse-reference.ts';
import { FOREIGN_CREDENTIALS } from '../secrets/foreign-credentials.ts';
import { parseChoice } from './parse-choice.ts';
import { parseDuration } from './parse-duration.ts';
import { parseNumber } from './parse-number.ts';
import { parseRuntime } from './parse-runtime.ts';
import { parseShell } from './parse-shell.ts';
import { parseSize } from './parse-size.ts';
import { parseSnapshotFrom, parseSnapshotTo } from './parse-snapshots.ts';

type Result<T> = { ok: true; value: T } | { ok: false; problem: string };

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** The inputs of one word or number, by name: what can be said of each on any machine and whatever the other inputs are. */
export const singleValues = {
  timeout: (text: string) => parseDuration(text, { minSeconds: 1, maxSeconds: 1800 }),
  memory: (text: string) => parseSize(text, { minBytes: 32 * MIB, maxBytes: 1024 * GIB }),
  cpus: (text: string) => parseNumber(text, { min: 0.1, max: 256, whole: false, example: 1 }),
  storage: (text: string) => parseSize(text, { minBytes: 64 * MIB, maxBytes: 1024 * GIB }),
  pids: (text: string) => parseNumber(text, { min: 16, max: 1_000_000, whole: true, example: 2048 }),
  image: parseImage,
  workspace: (text: string) => parseChoice(text, ['copy', 'write', 'read-only', 'none']),
  'working-directory': (text: string): Result<string> => ({ ok: true, value: text }),
  user: (text: string) => parseChoice(text, ['runner', 'root']),
  runtime: parseRuntime,
  mode: (text: string) => parseChoice(text, ['enforce', 'observe']),
  shell: (text: string) => parseShell(text, { scriptPath: '', hasBash: true }),
  'foreign-credentials': (text: string) => parseChoice(text, FOREIGN_CREDENTIALS),
  'fail-on-blocked': (text: string) => parseChoice(text, ['true', 'false']),
  'snapshot-from': parseSnapshotFrom,
  'snapshot-to': parseSnapshotTo,
} as const satisfies Record<string, (text: string) => Result<unknown>>;

function parseImage(text: string): Result<RunConfig['image']> {
  const written = text.trim();
  if (written === 'runner') return { ok: true, value: 'runner' };
  const value = parseReference(written);
  if (value !== null) return { ok: true, value };
  return { ok: false, problem: `${quote(text)} is not the reference of an image: write \`runner\`, or one like \`debian:12\`, \`ghcr.io/owner/name:tag\` or \`name@sha256:…\`, in lower case` };
}
