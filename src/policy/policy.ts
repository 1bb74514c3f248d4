/** A host pattern of an allow rule or a secret binding, already lower-cased, IDNA-normalised and without a trailing dot. */
export type HostPattern =
  /** that name only */
  | { kind: 'exact'; name: string }
  /** `*.name`: exactly one label below `name`, not `name` itself */
  | { kind: 'one-label'; name: string }
  /** `**.name`: any depth below `name`, not `name` itself */
  | { kind: 'any-depth'; name: string }
  /** an IP literal in canonical form, without brackets */
  | { kind: 'address'; name: string };

/** One parsed line of `allow`. */
export type Rule = HttpRule | TcpRule;

export type HttpRule = {
  kind: 'http';
  /** the line as the user wrote it, trimmed: what verdicts, reports and messages quote */
  text: string;
  /** upper-case methods, or null for any */
  methods: readonly string[] | null;
  host: HostPattern;
  /** an explicit port, or null: 443 for https and 80 for http */
  port: number | null;
  /** the path pattern starting with `/`, or null for any */
  path: string | null;
};

/** `tcp://host:port`: a raw connection, of whose bytes nothing is understood. */
export type TcpRule = { kind: 'tcp'; text: string; host: HostPattern; port: number };

/** One line of `resolve`: dial `address:addressPort` for `host:port`, even where the address is private. */
export type ResolveEntry = { host: string; port: number; address: string; addressPort: number };

/** Everything a verdict is made of. `path` is the path without the query. */
export type Destination = {
  scheme: 'https' | 'http';
  /** lower-case name or canonical IP literal */
  host: string;
  port: number;
};
export type Question = Destination & { method: string; path: string };
/** Where a connection goes before anything is known of its protocol. */
export type Endpoint = Pick<Destination, 'host' | 'port'>;

/** Typed reasons of refusals; they appear in reports and audit logs, and docs/reasons.md has a row for each. */
export const REFUSAL_REASONS = [
  'host-not-allowed',
  'port-not-allowed',
  'method-not-allowed',
  'path-not-allowed',
  'name-not-allowed',
  'private-address',
  'name-does-not-resolve',
  'upstream-tls',
  'upstream-unreachable',
  'upstream-proxy',
  'sni-mismatch',
  'host-mismatch',
  'tls-handshake',
  'bad-request',
  'no-name-for-address',
  'placeholder-wrong-host',
  'placeholder-wrong-place',
  'placeholder-without-tls',
  'real-secret-leaving',
  'real-secret-arriving',
  'method-carries-no-secret',
  'secret-repeated',
  'foreign-credential',
  'signature-not-swapped',
  'unreadable-body',
  'unsupported-protocol',
  'unscannable-body',
  'unasked-part',
  'capacity',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export type Verdict =
  /**
   * `rule` is the text of the rule that allowed it, or `secret NAME` for a bound host; `observed` is what would have refused it, had it not been
   * let through by `mode: observe`
   */
  | { allowed: true; rule: string; observed?: { reason: RefusalReason; remedy: string } }
  /** `remedy` is one sentence with the exact line of configuration that would allow it, where there is one */
  | { allowed: false; reason: RefusalReason; remedy: string };

/** The compiled policy: cost of a decision does not depend on the number of rules for other hosts. */
export type Policy = {
  /** Never by a `tcp://` rule: whoever has only that speaks no HTTP through Decoy. */
  decide(question: Question): Verdict;
  /** Whether a connection is passed on raw: by a `tcp://` rule, and only where no HTTP rule or binding covers the same destination. */
  decideTcp(endpoint: Endpoint): Verdict;
  /** Whether some request to this name on some port could be allowed: what the DNS responder asks. */
  couldAllow(name: string): boolean;
  /** Whether some request to this destination could be allowed: asked when a connection arrives, before any byte of it is read. */
  couldReach(endpoint: Endpoint): boolean;
  /** Every port some rule or binding names, 80 and 443 included, ascending. */
  ports: readonly number[];
  /** Every IP literal some rule names. */
  addresses: readonly string[];
  /** only of a policy that observes: the one it lets things pass by */
  enforced?: Policy;
};
