/** Where in a request a secret may be put in. `text` is how the user wrote it: what messages quote. */
export type Place =
  /** every header of CREDENTIAL_HEADERS */
  | { kind: 'credentials'; text: string }
  /** `name` in lower case */
  | { kind: 'header'; text: string; name: string }
  | { kind: 'query'; text: string; key: string }
  | { kind: 'path'; text: string }
  /** anywhere in the body */
  | { kind: 'body'; text: string }
  /** a string of a JSON body, or a field of a form: `steps` lead to the one, `name` is that of the other */
  | { kind: 'field'; text: string; name: string; steps: readonly FieldStep[] }
  | SignaturePlace;

/** Not the value but a signature made with it. `header` is where that stands, in lower case; nothing where the scheme says so. */
export type SignaturePlace = { kind: 'signature'; text: string; scheme: SignatureScheme; header: string };
export type SignatureScheme = 'aws-sigv4' | 'jwt' | 'hmac-sha256';

/** A key or an index, or null for any. */
export type FieldStep = string | null;

/** The only places a secret is swapped in, and how often in each of them in one request. */
export type Pins = { places: readonly Place[]; max: number };

/** Without pins: the credential headers, as often as the client likes. */
export const DEFAULT_PINS: Pins = { places: [{ kind: 'credentials', text: 'credentials' }], max: Infinity };
