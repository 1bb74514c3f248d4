import { check, cut, readBytes } from './bytes.ts';
import { compiledFuzzedSecrets, fuzzedSecrets, withTokens } from './secrets.ts';

/** The scrubber: the output does not depend on the cuts, holds no real value as it is, in base64 or escaped, and scrubbing it again changes nothing. */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const lengths = Array.from({ length: bytes.below(32) }, () => bytes.below(17));
  const body = Buffer.from(withTokens(bytes.rest().toString('latin1')), 'latin1');
  const whole = scrub([body]);
  check(whole.equals(scrub(cut(body, lengths))), 'cuts change nothing');
  check(whole.equals(scrub([whole])), 'what was scrubbed is clean');
  for (const { value } of fuzzedSecrets) {
    check(!whole.includes(value), 'no real value as it is');
    for (const lead of [0, 1, 2]) check(!whole.includes(base64Within(value, lead)), 'none in base64, wherever it begins');
    check(!whole.includes(Buffer.from(value).toString('hex')) && !whole.includes(Buffer.from(value).toString('hex').toUpperCase()), 'none in hexadecimal');
    check(!whole.includes(encodeURIComponent(value)), 'none with percent escapes');
    check(!whole.includes(JSON.stringify(value).slice(1, -1)), 'none with JSON escapes');
  }
  const headers = compiledFuzzedSecrets.scrubberFor('api.test')!.scrubHeaders(['X', body.toString('latin1')]).rawHeaders;
  check(headers[1] === whole.toString('latin1'), 'a header is scrubbed as a body is');
}

/** What of the base64 of something longer depends on the value alone, when `lead` bytes of a group of three stand before it. */
function base64Within(value: string, lead: number): string {
  const bytes = Buffer.concat([Buffer.alloc(lead), Buffer.from(value)]);
  return bytes.toString('base64').slice([0, 2, 3][lead], Math.floor((bytes.length * 4) / 3));
}

function scrub(pieces: readonly Buffer[]): Buffer {
  const scrubber = compiledFuzzedSecrets.scrubberFor('api.test')!.createBodyScrubber();
  return Buffer.concat([...pieces.map((piece) => Buffer.from(scrubber.push(piece))), scrubber.flush()]);
}
