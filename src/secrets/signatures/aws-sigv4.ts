import { createHash, createHmac } from 'node:crypto';
import { onlyHeader, type FoundSignature, type SignedRequest } from './signature.ts';

/**
 * AWS Signature Version 4 in the header `authorization`
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). Null where there is none, or none that is complete.
 */
export function findAwsSigv4(rawHeaders: readonly string[]): FoundSignature | null {
  const authorization = onlyHeader(rawHeaders, 'authorization');
  const parsed = authorization === null ? null : parseAuthorization(authorization);
  const time = onlyHeader(rawHeaders, 'x-amz-date');
  if (parsed === null || time === null || !/^\d{8}T\d{6}Z$/.test(time)) return null;
  const { scope, names, signature } = parsed;
  const payload = onlyHeader(rawHeaders, PAYLOAD_HEADER);
  const sign = (key: string, request: SignedRequest, options: CanonicalOptions) => signCanonical(key, { scope, time, canonical: canonicalRequest(request, options) });
  return {
    header: 'authorization',
    text: signature,
    coversBody: payload === null,
    problem: payload !== null && payload.startsWith('STREAMING-AWS4-') ? CHUNKS_SIGNED : null,
    verify(key, original) {
      const headers = valuesByName(original.rawHeaders);
      const hash = payload ?? sha256(original.body);
      const canonicalPath = CANONICAL_PATHS.find((one) => sign(key, original, { canonicalPath: one, names, headers, hash }) === signature);
      if (canonicalPath === undefined) return null;
      return (realKey, sent, value) => {
        // What the proxy leaves out, a range for one, cannot be signed.
        const sentHeaders = valuesByName(sent.rawHeaders);
        const kept = [...new Set(names.map(headerOf))].filter((name) => sentHeaders.has(name)).sort(compare);
        const made = sign(realKey, sent, { canonicalPath, names: kept, headers: sentHeaders, hash: sentHeaders.get(PAYLOAD_HEADER)?.[0] ?? hash });
        return { value: value.replace(SIGNED_HEADERS, () => `SignedHeaders=${kept.join(';')}`).replace(signature, made), text: made };
      };
    },
  };
}

const PAYLOAD_HEADER = 'x-amz-content-sha256';
const SIGNED_HEADERS = /SignedHeaders=[^,\s]+/;
const CHUNKS_SIGNED = 'Each chunk of this body has a signature of its own: let the client sign the body as a whole, or send it as `UNSIGNED-PAYLOAD` or `STREAMING-UNSIGNED-PAYLOAD-TRAILER`';

type Authorization = { scope: string; names: string[]; signature: string };

function parseAuthorization(value: string): Authorization | null {
  const [, rest] = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(value) ?? [];
  const fields = (rest?.split(',') ?? []).map((field) => field.trim().split('=', 2));
  const field = (name: string): string => (fields.length === 3 ? fields.find(([key]) => key === name)?.[1] ?? '' : '');
  const [, scope] = /^[^/\s]+\/(\d{8}\/[\w-]+\/[\w-]+\/aws4_request)$/.exec(field('Credential')) ?? [];
  const names = field('SignedHeaders').split(';');
  const signature = field('Signature');
  // Without the host it would be valid at another one, and with names that are repeated what is signed would be far longer than the request.
  return scope !== undefined && names.some((name) => headerOf(name) === 'host') && new Set(names).size === names.length && /^[0-9a-f]{64}$/.test(signature) ? { scope, names, signature } : null;
}

/** Over HTTP/2, AWS's SDK for JavaScript signs the pseudo-header: what is sent has a host over HTTP/1.1, too. */
function headerOf(name: string): string {
  return name === ':authority' ? 'host' : name;
}

type CanonicalPath = (path: string) => string;

/** S3 has the path encoded once, other services twice, and clients differ in what they encode on the wire: the signature tells. */
const CANONICAL_PATHS: readonly CanonicalPath[] = [
  (path) => encode(decode(path), { slash: true }),
  (path) => encode(encode(decode(path), { slash: true }), { slash: true }),
  (path) => path,
  (path) => encode(path, { slash: true }),
];

type CanonicalOptions = { canonicalPath: CanonicalPath; names: readonly string[]; headers: ReadonlyMap<string, readonly string[]>; hash: string };

function canonicalRequest({ method, url }: SignedRequest, { canonicalPath, names, headers, hash }: CanonicalOptions): string {
  const [path, query] = /^([^?]*)\??(.*)$/s.exec(url)!.slice(1) as [string, string];
  const lines = names.map((name) => `${name}:${(headers.get(headerOf(name)) ?? []).map((value) => value.replaceAll(BLANKS_AROUND, '').replaceAll(/ +/g, ' ')).join(',')}\n`);
  return [method, canonicalPath(path), canonicalQuery(query), lines.join(''), names.join(';'), hash].join('\n');
}

/** Not all that Unicode calls a space: of UTF-8 it may be the last byte of a letter. */
const BLANKS_AROUND = /^[ \t]+|(?<![ \t])[ \t]+$/g;

function valuesByName(rawHeaders: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    const known = values.get(name);
    if (known === undefined) values.set(name, [rawHeaders[at + 1]!]);
    else known.push(rawHeaders[at + 1]!);
  }
  return values;
}

function canonicalQuery(query: string): string {
  const pairs = query.split('&').filter((pair) => pair !== '').map((pair) => {
    const [key, value] = /^([^=]*)=?(.*)$/s.exec(pair)!.slice(1) as [string, string];
    return { key: encode(decode(key)), value: encode(decode(value)) };
  });
  return pairs.sort((a, b) => compare(a.key, b.key) || compare(a.value, b.value)).map(({ key, value }) => `${key}=${value}`).join('&');
}

function signCanonical(key: string, { scope, time, canonical }: { scope: string; time: string; canonical: string }): string {
  const signingKey = scope.split('/').reduce<string | Buffer>((parent, part) => hmac(parent, part), `AWS4${key}`);
  return hmac(signingKey, ['AWS4-HMAC-SHA256', time, scope, sha256([Buffer.from(canonical, 'latin1')])].join('\n')).toString('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

/** Latin1 to latin1, so that bytes that are no UTF-8 stay what they are. */
function decode(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function encode(text: string, { slash = false }: { slash?: boolean } = {}): string {
  return text.replaceAll(slash ? /[^\w.~/-]/g : /[^\w.~-]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
