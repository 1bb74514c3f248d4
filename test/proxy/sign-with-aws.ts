import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

export type AwsRequest = { method: string; url: string; headers: Record<string, string>; body?: string | Buffer };

/** AWS's own signer. */
export function awsSigner({ key, id = 'AKIDEXAMPLE', service = 's3', region = 'eu-central-1' }: { key: string; id?: string; service?: string; region?: string }): SignatureV4 {
  return new SignatureV4({
    credentials: { accessKeyId: id, secretAccessKey: key }, region, service, sha256: Sha256, uriEscapePath: service !== 's3', applyChecksum: service === 's3',
  });
}

/** The headers with AWS's signature among them. */
export async function signAws({ method, url, headers, body }: AwsRequest, options: { key: string; id?: string; service?: string }): Promise<Record<string, string>> {
  const signed = await awsSigner(options).sign({ protocol: 'https:', hostname: headers.host!, method, ...partsOf(url), headers, ...(body === undefined ? {} : { body }) });
  return signed.headers;
}

/** Whether AWS, with this key, would take the request as it arrived. */
export async function isValidAws({ method, url, headers, body }: AwsRequest, key: string): Promise<boolean> {
  const [, id, region, service, names, signature] = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d+\/([\w-]+)\/([\w-]+)\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)$/.exec(headers['authorization']!)!;
  const signed = new Set(names!.split(';'));
  const covered = Object.fromEntries(Object.entries(headers).filter(([name]) => signed.has(name)));
  if (Object.keys(covered).length !== signed.size) return false;
  const time = headers['x-amz-date']!.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const again = await awsSigner({ key, id: id!, service: service!, region: region! }).sign(
    { protocol: 'https:', hostname: headers.host!, method, ...partsOf(url), headers: covered, ...(body === undefined ? {} : { body }) },
    { signingDate: new Date(time), signableHeaders: signed },
  );
  return again.headers['authorization'] === headers['authorization'] && signature !== '';
}

function partsOf(url: string): { path: string; query: Record<string, string | string[]> } {
  const { pathname, searchParams } = new URL(`https://aws.test${url}`);
  return { path: pathname, query: Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)])) };
}

class Sha256 {
  readonly #hash;
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer);
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  reset(): void {
    throw new Error('not asked for');
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}
