import { createHash, createHmac } from 'node:crypto';
import { headerValues, onlyHeader, type FoundSignature, type SignedRequest } from './signature.ts';

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
  const sign = (key: string, request: SignedRequest, { canonicalPath, names: signed }: { canonicalPath: CanonicalPath; names: readonly string[] }) =>
    signCanonical(key, { scope, time, canonical: canonicalRequest(request, { canonicalPath, names: signed }) });
  return {
    header: 'authorization',
    text: signature,
    coversBody: payload === null,
    problem: payload !== null && payload.startsWith('STREAMING-AWS4-') ? CHUNKS_SIGNED : null,
    verify(key, original) {
      const canonicalPath = CANONICAL_PATHS.find((one) => sign(key, original, { canonicalPath: one, names }) === signature);
      if (canonicalPath === undefined) return null;
      return (realKey, sent, value) => {
        // What the proxy leaves out, a range for one, cannot be signed.
        const kept = names.filter((name) => headerValues(sent.rawHeaders, name).length > 0);
        const made = sign(realKey, sent, { canonicalPath, names: kept });
        return { value: value.replace(SIGNED_HEADERS, `SignedHeaders=${kept.join(';')}`).replace(signature, made), text: made };
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
  const fields = (rest?.split(/\s*,\s*/) ?? []).map((field) => field.split('=', 2));
  const field = (name: string): string => (fields.length === 3 ? fields.find(([key]) => key === name)?.[1] ?? '' : '');
  const [, scope] = /^[^/\s]+\/(\d{8}\/[\w-]+\/[\w-]+\/aws4_request)$/.exec(field('Credential')) ?? [];
  const names = field('SignedHeaders').split(';');
  const signature = field('Signature');
  // Without the host it would be valid at another one.
  return scope !== undefined && names.includes('host') && /^[0-9a-f]{64}$/.test(signature) ? { scope, names, signature } : null;
}

type CanonicalPath = (path: string) => string;

/** S3 has the path encoded once, other services twice, and clients differ in what they encode on the wire: the signature tells. */
const CANONICAL_PATHS: readonly CanonicalPath[] = [
  (path) => encode(decode(path), { slash: true }),
  (path) => encode(encode(decode(path), { slash: true }), { slash: true }),
  (path) => path,
  (path) => encode(path, { slash: true }),
];

function canonicalRequest({ method, url, rawHeaders, body }: SignedRequest, { canonicalPath, names }: { canonicalPath: CanonicalPath; names: readonly string[] }): string {
  const [path, query] = /^([^?]*)\??(.*)$/s.exec(url)!.slice(1) as [string, string];
  const headers = names.map((name) => `${name}:${headerValues(rawHeaders, name).map((value) => value.trim().replaceAll(/ +/g, ' ')).join(',')}\n`);
  const payload = onlyHeader(rawHeaders, PAYLOAD_HEADER) ?? sha256(body);
  return [method, canonicalPath(path), canonicalQuery(query), headers.join(''), names.join(';'), payload].join('\n');
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
