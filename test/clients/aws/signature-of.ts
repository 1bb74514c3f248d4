import { createHash, createHmac } from 'node:crypto';
import type { Upstream } from '../../integration/support/upstream.ts';
import { headerOf } from '../header-of.ts';

/** The parts of an `Authorization` of AWS Signature Version 4, and what its signature would be if it were made with `secretKey`. */
export function readSignature(request: Upstream['received'][number]): { accessKeyId: string; signature: string; signedWith(secretKey: string): string } {
  const text = headerOf(request.headers, 'authorization') ?? '';
  const [, accessKeyId = '', scope = '', names = '', signature = ''] = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(text) ?? [];
  return { accessKeyId, signature, signedWith: (secretKey) => sign(request, { scope, names, secretKey }) };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, for a request without a query. */
function sign(request: Upstream['received'][number], { scope, names, secretKey }: { scope: string; names: string; secretKey: string }): string {
  const headers = names.split(';').map((name) => `${name}:${headerOf(request.headers, name)}\n`);
  const canonical = [request.method, request.url, '', headers.join(''), names, sha256(request.body)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((parent, part) => hmac(parent, part), `AWS4${secretKey}`);
  return hmac(key, ['AWS4-HMAC-SHA256', headerOf(request.headers, 'x-amz-date'), scope, sha256(canonical)].join('\n')).toString('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
