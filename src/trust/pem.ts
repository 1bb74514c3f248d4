/** RFC 7468 text of one DER certificate. */
export function renderPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Every certificate of a PEM text, DER, in order and without repetitions; text between them is skipped, as RFC 7468 allows. */
export function parsePem(text: string): Buffer[] {
  const blocks = text.matchAll(/-----BEGIN (?:X509 )?CERTIFICATE-----([^-]*)-----END/g);
  const unique = new Set(Array.from(blocks, (block) => block[1]!.replace(/\s+/g, '')));
  return Array.from(unique, (base64) => Buffer.from(base64, 'base64'));
}
