/**
 * How a program may read an HMAC's key from text: as it stands, or decoded. Null where the text is none of that kind: decoders stop at what they do not know,
 * and a key of the few bytes before that could be found from its signature.
 */
export type ReadKey = (text: string) => Buffer | null;

export const READ_KEY: readonly ReadKey[] = [
  (text) => Buffer.from(text),
  (text) => (/^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : null),
  (text) => (/^[\w+/-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : null),
];
