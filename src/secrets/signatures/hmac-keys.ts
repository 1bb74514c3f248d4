/** How a program may read an HMAC's key from text: as it stands, or decoded. A placeholder has its value's alphabet and length, so that it can be read the same way. */
export type ReadKey = (text: string) => Buffer;

export const READ_KEY: readonly ReadKey[] = [
  (text) => Buffer.from(text),
  (text) => Buffer.from(text, 'hex'),
  (text) => Buffer.from(text, 'base64'),
];
