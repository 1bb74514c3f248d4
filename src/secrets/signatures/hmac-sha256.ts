import { createHmac } from 'node:crypto';
import { READ_KEY } from './hmac-keys.ts';
import { onlyHeader, type FoundSignature } from './signature.ts';

/** The HMAC-SHA256 of the body, in hexadecimal, base64 with its padding or base64url without, as all of the header or its end, behind `sha256=` for one. */
export function findHmacSha256(rawHeaders: readonly string[], header: string): FoundSignature | null {
  const [signature] = /(?:[0-9a-f]{64}|[\w+/-]{43}=?)$/i.exec(onlyHeader(rawHeaders, header)?.slice(-64) ?? '') ?? [];
  if (signature === undefined) return null;
  return {
    header,
    text: signature,
    coversBody: true,
    problem: null,
    verify(key, { body }) {
      for (const read of READ_KEY) {
        const digest = hmacOf(read(key), body);
        const write = digest === null ? undefined : WRITERS.find((one) => one(digest) === signature);
        if (write === undefined) continue;
        return (realKey, sent, value) => {
          const made = hmacOf(read(realKey), sent.body);
          return made && { value: `${value.slice(0, -signature.length)}${write(made)}`, text: write(made) };
        };
      }
      return null;
    },
  };
}

function hmacOf(key: Buffer | null, body: readonly Uint8Array[]): Buffer | null {
  if (key === null) return null;
  const hmac = createHmac('sha256', key);
  for (const chunk of body) hmac.update(chunk);
  return hmac.digest();
}

/** Not base64url with padding, nor base64 without: where a digest happens to have neither `+` nor `/`, they could not be told from these two. */
const WRITERS: readonly ((digest: Buffer) => string)[] = [
  (digest) => digest.toString('hex'),
  (digest) => digest.toString('hex').toUpperCase(),
  (digest) => digest.toString('base64'),
  (digest) => digest.toString('base64url'),
];
