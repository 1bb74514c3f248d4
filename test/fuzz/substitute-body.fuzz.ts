import { compileSecrets, type BodySubstitution } from '../../src/secrets/compile-secrets.ts';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { MAX_JSON_DEPTH } from '../../src/secrets/json-reader.ts';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
import type { Secret } from '../../src/secrets/secret.ts';
import { check, cut, readBytes } from './bytes.ts';
import { formPairs } from './form-pairs.ts';
import { jsonDepth, jsonStrings } from './json-strings.ts';
import { hasOtherName, mayBeNamed, multipartParts } from './multipart-parts.ts';
import { createTokens, fuzzedSecrets } from './secrets.ts';

/** A text of the body that has a value of its own; `where` tells it from others, `isPinned` is whether the secret may be put into it. */
type Entry = { where: string; value: string; isPinned: boolean };

const FIELD = 'a.*';
const pins = { places: parsePlaces(`body:a,body:${FIELD}`).places, max: 5000 };
const [key, password] = fuzzedSecrets as [Secret, Secret];
/** The same length, and no character that is escaped. */
const plain: Secret = { ...key, name: 'PLAIN', value: 'real_0123456789abcdef', placeholder: 'hold_0123456789abcdef' };
const secrets = [{ ...key, pins }, { ...plain, hosts: [{ kind: 'exact', name: 'plain.test' }], hostTexts: ['plain.test'], pins }, password] satisfies Secret[];
const compiled = compileSecrets(secrets);
const withTokens = createTokens([key, plain, password]);
const forms = secrets.flatMap(({ value, placeholder }) => [value, placeholder]).flatMap((text) => encodedForms(text).map((form) => form.text));

const kinds: readonly { contentType: string; entries(body: Buffer): Entry[] | null }[] = [
  { contentType: 'application/json', entries: jsonEntries },
  { contentType: 'application/x-www-form-urlencoded', entries: formEntries },
  { contentType: 'multipart/form-data; boundary=B', entries: multipartEntries },
];

/**
 * A body that passes is read by a server as the same texts, with the real value in each placeholder's place in the pinned ones, and nothing
 * else changed. Whether it passes, and as what, does not depend on where it is cut; one that holds no secret passes.
 */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const { contentType, entries } = kinds[bytes.below(kinds.length)]!;
  const secret = secrets[bytes.below(2)]!;
  const lengths = Array.from({ length: bytes.below(24) }, () => bytes.below(41));
  const body = Buffer.from(withTokens(withSyntax(bytes.rest().toString('latin1'))), 'latin1');
  const open = () => compiled.openBodySubstitution({ destination: { scheme: 'https', host: secret.hostTexts[0]!, port: 443 }, method: 'POST', contentType })!;
  const given = body.length === 0 ? [] : entries(body);
  const outcome = send(open(), [body]);
  for (const pieces of [cut(body, lengths), Array.from(body, (byte) => Buffer.from([byte]))]) {
    const again = send(open(), pieces);
    check(again.problem === null ? outcome.problem === null && again.sent.equals(outcome.sent) : outcome.problem !== null, 'the same comes out of all cuts');
  }
  if (outcome.problem !== null) {
    check(outcome.problem !== 'unreadable-body' || given === null, 'only what cannot be read is called so');
    const text = body.toString('latin1');
    const isEscaped = outcome.place === 'body, escaped' && secret.name === 'PLAIN';
    return check(given === null || isEscaped || forms.some((form) => text.includes(form)), 'what holds no secret passes');
  }
  check(given !== null, 'what cannot be read does not pass');
  const count = given.reduce((sum, { value, isPinned }) => sum + (isPinned ? value.split(secret.placeholder).length - 1 : 0), 0);
  check(outcome.uses === count, 'each placeholder counts');
  if (count === 0) return check(outcome.sent.equals(body), 'what holds no placeholder in a pinned place stays as it is');
  if (outcome.keepsLength) check(outcome.sent.length === body.length, 'the length is kept');
  const expected = given.map((entry) => (entry.isPinned ? { ...entry, value: entry.value.replaceAll(secret.placeholder, () => secret.value) } : entry));
  check(JSON.stringify(entries(outcome.sent)) === JSON.stringify(expected), 'the real value is in the pinned places and nothing else is changed');
}

/** Punctuation with the field's name, which takes a fuzzer long, for control characters. */
function withSyntax(text: string): string {
  const syntax = ['{"a":"', '"', '","a":"', '{"a":{"b":"', '"}', 'a=', '&a=', `&${FIELD}=`, '\r\n--B\r\ncontent-disposition: form-data; name="a"\r\n\r\n', '\r\n--B--\r\n', '--B\r\n', 'content-disposition: form-data; name=a\r\n'];
  return text.replaceAll(/[\x0e-\x19]/g, (character) => syntax[character.charCodeAt(0) - 0x0e]!);
}

type Outcome = { sent: Buffer; keepsLength: boolean; uses: number; problem: string | null; place: string };

function send(substitution: BodySubstitution, pieces: readonly Buffer[]): Outcome {
  const { keepsLength } = substitution;
  const sent: Buffer[] = [];
  for (const step of [...pieces.map((piece) => () => substitution.push(piece)), substitution.end]) {
    const result = step();
    if (!result.ok) return { sent: Buffer.concat(sent), keepsLength, uses: 0, problem: result.reason, place: result.place };
    sent.push(Buffer.from(result.bytes));
  }
  return { sent: Buffer.concat(sent), keepsLength, uses: substitution.uses().reduce((sum, { substitutions }) => sum + substitutions, 0), problem: null, place: '' };
}

function jsonEntries(body: Buffer): Entry[] | null {
  if (jsonDepth(body) > MAX_JSON_DEPTH) return null;
  return jsonStrings(body)?.map(({ path, value }) => ({ where: JSON.stringify(path), value, isPinned: path[0] === 'a' && path.length <= 2 })) ?? null;
}

function formEntries(body: Buffer): Entry[] {
  return formPairs(body).map(([name, value]) => ({ where: name, value, isPinned: name === 'a' || name === FIELD }));
}

function multipartEntries(body: Buffer): Entry[] | null {
  return multipartParts(body, 'B')?.map((part) => {
    const isPinned = ['a', FIELD].some((name) => mayBeNamed(part, name) && !hasOtherName(part, name));
    return { where: part.head, value: part.content, isPinned };
  }) ?? null;
}
