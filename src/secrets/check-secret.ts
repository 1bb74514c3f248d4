import { quote } from '../policy/quote.ts';
import { VENDOR_PREFIXES } from './vendor-prefixes.ts';

/** Why a secret cannot be used: one sentence each, quoting the name and never the value; empty where it can. */
export function secretProblems({ name, value }: { name: string; value: string }): string[] {
  const problems = /^[A-Z_][A-Z0-9_]*$/i.test(name)
    ? []
    : [`Secret ${quote(name)} cannot be an environment variable: use letters, digits and underscores, and no digit first.`];
  const problem = valueProblem(value);
  if (problem !== null) problems.push(`Secret ${quote(name)} ${problem}.`);
  return problems;
}

/** Below this a value turns up in ordinary traffic by chance, and scrubbing would spoil it. */
const MIN_CHARACTERS = 8;

/** Node's default limit of all headers of a message together is 16 KiB (`--max-http-header-size`); a longer value reaches no server. */
const MAX_CHARACTERS = 8192;

const MIN_DISTINCT_CHARACTERS = 4;

/** Field names and stand-ins that appear in the bodies of ordinary APIs. */
const ORDINARY_WORDS: ReadonlySet<string> = new Set([
  'password', 'passwords', 'passwort', 'passphrase', 'username', 'undefined', 'changeme', 'redacted', 'placeholder', 'localhost',
  'authorization', 'secret_key', 'secretkey', 'access_token', 'accesstoken', 'client_secret', 'clientsecret', 'your_api_key', 'your-api-key',
]);

function valueProblem(value: string): string | null {
  if (value === '') return 'is empty: set its value, or remove the line';
  if (value.trim() === '') return 'is only whitespace: set its value, or remove the line';
  if (value.includes('\0')) return 'contains a NUL character, which neither an environment variable nor a header can hold: encode it, for example as base64';
  if (value.trim().startsWith('-----BEGIN ')) {
    return 'is a PEM key or certificate: it has several lines, so no header can carry it, and a client would sign with the placeholder; exchange it for a token outside the sandbox and pass that';
  }
  if (/[\r\n]$/.test(value) && !/[\r\n]/.test(value.trimEnd())) return 'ends with a line break, which no header can hold: remove the line break at the end of the stored value';
  if (/[\r\n]/.test(value)) return 'has several lines, which no header can hold: pass one credential of one line';
  if (/[\x01-\x08\x0b-\x1f\x7f]/.test(value)) return 'contains a control character, which no header can hold: encode it, for example as base64';
  // Servers drop this whitespace (RFC 9110, section 5.5) and may echo the rest, which would then not be recognised.
  if (value !== value.trim()) return 'begins or ends with whitespace, which servers drop: remove it from the stored value';
  // Compared as UTF-8 in traffic, where half a surrogate pair has no form.
  if (Buffer.from(value).toString() !== value) return 'is not well-formed Unicode: encode it, for example as base64';
  if (value.length < MIN_CHARACTERS) {
    return `is shorter than ${MIN_CHARACTERS} characters, so that scrubbing it would spoil ordinary text: use a longer credential, or pass it as \`env\` if it is not secret`;
  }
  if (value.length > MAX_CHARACTERS) return `is longer than ${MAX_CHARACTERS} characters, more than servers take in a header: use a shorter credential`;
  if (new Set(value).size < MIN_DISTINCT_CHARACTERS || ORDINARY_WORDS.has(value.toLowerCase()) || VENDOR_PREFIXES.includes(value)) {
    return 'is a common word, the beginning of many keys or a few characters repeated, so that scrubbing it would spoil ordinary text: use a real credential, or pass it as `env` if it is not secret';
  }
  return null;
}
