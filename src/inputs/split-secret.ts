/** `NAME@host[,host…];in=PLACE[,PLACE…];max=N` taken apart, and for a line of the `secrets` input what follows it. */
export type SplitSecret = {
  name: string;
  hosts: string | undefined;
  /** name and text of what stands between semicolons, in order */
  options: readonly (readonly [name: string, text: string])[];
  /** `=` or `<<` and the rest of the line, or null where the text ends before */
  rest: { operator: '=' | '<<'; text: string } | null;
};

/** What a policy file says of a secret, as the two parts of a line behind its name. */
export type SecretHosts = { hosts: readonly string[]; options: SplitSecret['options'] };

export type SecretBindings = ReadonlyMap<string, SecretHosts>;

/** The hosts of both; of an option that is given in both, the line's. */
export function bindSecret(split: SplitSecret, bindings: SecretBindings): SplitSecret {
  const binding = bindings.get(split.name);
  if (binding === undefined) return split;
  const hosts = [...(split.hosts ?? '').split(',').map((host) => host.trim()).filter((host) => host !== ''), ...binding.hosts];
  const options = [...split.options, ...binding.options.filter(([option]) => !split.options.some(([given]) => given === option))];
  return { ...split, hosts: [...new Set(hosts)].join(','), options };
}

/**
 * Null where the text has not this form. The first `=` or `<<` behind the options begins the value, which may thus hold any
 * character; within an option a backslash takes the next character as it is.
 */
export function splitSecret(text: string): SplitSecret | null {
  const match = /^([^@=<\s]+)(?:@([^=<;]*)((?:;\s*[a-z]+=(?:\\.|[^;=<\\])*)*))?(?:(=|<<)(.*))?$/s.exec(text);
  if (match === null) return null;
  const [, name = '', hosts, options = '', operator, rest = ''] = match;
  return {
    name, hosts,
    options: [...options.matchAll(/;\s*([a-z]+)=((?:\\.|[^;=<\\])*)/gs)].map(([, option = '', value = '']) => [option, value.trim()] as const),
    rest: operator === undefined ? null : { operator: operator as '=' | '<<', text: rest },
  };
}
