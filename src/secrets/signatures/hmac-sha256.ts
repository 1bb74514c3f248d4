import { createHmac } from 'node:crypto';
import { READ_KEY } from './hmac-keys.ts';
import { onlyHeader, type FoundSignature } from './signature.ts';

/** The HMAC-SHA256 of the body, in hexadecimal or base64, as all of the header or its end, behind `sha256=` for one. */
export function findHmacSha256(rawHeaders: readonly string[], header: string): FoundSignature | null {
  const [, before = '', signature] = /^(.*?)([0-9a-f]{64}|[\w+/-]{43}=?)$/i.exec(onlyHeader(rawHeaders, header) ?? '') ?? [];
  if (signature === undefined) return null;
  return {
    header,
    text: signature,
    coversBody: true,
    problem: null,
    verify(key, { body }) {
      for (const read of READ_KEY) {
        const sign = (text: string, over: readonly Uint8Array[]) => {
          const hmac = createHmac('sha256', read(text));
          for (const chunk of over) hmac.update(chunk);
          return hmac.digest();
        };
        const write = WRITERS.find((one) => one(sign(key, body)) === signature);
        if (write === undefined) continue;
        return (realKey, sent) => {
          const made = write(sign(realKey, sent.body));
          return { value: `${before}${made}`, text: made };
        };
      }
      return null;
    },
  };
}

const WRITERS: readonly ((digest: Buffer) => string)[] = [
  (digest) => digest.toString('hex'),
  (digest) => digest.toString('hex').toUpperCase(),
  (digest) => digest.toString('base64'),
  (digest) => digest.toString('base64').replace('=', ''),
  (digest) => digest.toString('base64url'),
  (digest) => `${digest.toString('base64url')}=`,
];
