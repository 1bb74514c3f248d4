/** A request as a signature covers it: text is latin1, one character a byte. */
export type SignedRequest = {
  method: string;
  /** origin-form target with the query */
  url: string;
  /** name, value, name, value … */
  rawHeaders: readonly string[];
  /** its pieces, none where no signature covers it */
  body: readonly Uint8Array[];
};

/** A signature that a request came with. */
export type FoundSignature = {
  /** its header, in lower case; the request has one of that name */
  header: string;
  /** as it stands in the header */
  text: string;
  /** whether the bytes of the body must be known to check or make it */
  coversBody: boolean;
  /** whether what it covers cannot be signed again: one sentence with the remedy, without the secret's name */
  problem: string | null;
  /** What makes the same kind of signature with another key, or null where this one was not made with `key` over `original`. */
  verify(key: string, original: SignedRequest): SignAgain | null;
};

/** `value`: the header's, with the old signature in it. Null where the key is no text of the kind that the other one was taken for. */
export type SignAgain = (key: string, sent: SignedRequest, value: string) => { value: string; text: string } | null;

/** The value of the one header of this name, or null. */
export function onlyHeader(rawHeaders: readonly string[], name: string): string | null {
  const values = headerValues(rawHeaders, name);
  return values.length === 1 ? values[0]! : null;
}

function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) if (rawHeaders[at]!.toLowerCase() === name) values.push(rawHeaders[at + 1]!);
  return values;
}
