import { createHmac } from 'node:crypto';
import { READ_KEY, type ReadKey } from './hmac-keys.ts';
import { onlyHeader, type FoundSignature } from './signature.ts';

/** A JSON Web Token with an HMAC (RFC 7515, RFC 7518 section 3.2) that is a header's whole value or follows one word of it, as `Bearer`. */
export function findJwt(rawHeaders: readonly string[], header: string): FoundSignature | null {
  const [, scheme = '', signed, signature] = /^(\w+\s+)?([\w-]+\.[\w-]+)\.([\w-]+)$/.exec(onlyHeader(rawHeaders, header) ?? '') ?? [];
  const hash = signed === undefined ? undefined : HASHES[algorithmOf(signed)];
  if (signed === undefined || hash === undefined) return null;
  const sign = (text: string, read: ReadKey): string | null => {
    const key = read(text);
    return key && createHmac(hash, key).update(signed).digest('base64url');
  };
  return {
    header,
    text: signature!,
    coversBody: false,
    problem: null,
    verify(key) {
      const read = READ_KEY.find((one) => sign(key, one) === signature);
      if (read === undefined) return null;
      return (realKey) => {
        const made = sign(realKey, read);
        return made === null ? null : { value: `${scheme}${signed}.${made}`, text: made };
      };
    },
  };
}

const HASHES: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

function algorithmOf(signed: string): string {
  try {
    const { alg } = JSON.parse(Buffer.from(signed.split('.', 1)[0]!, 'base64url').toString()) as { alg?: unknown };
    return typeof alg === 'string' && Object.hasOwn(HASHES, alg) ? alg : '';
  } catch {
    return '';
  }
}
