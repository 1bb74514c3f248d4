import type { TcpRule } from './policy.ts';
import { parseAuthority } from './parse-authority.ts';
import { parseHostPattern } from './parse-host-pattern.ts';
import { quote } from './quote.ts';

/** Parses `tcp://host:port`. Each problem is one clause that ends with the remedy; the caller says which rule it belongs to. */
export function parseTcpRule(text: string, problems: string[]): TcpRule | null {
  const words = text.split(/\s+/);
  const target = words.at(-1)!.slice('tcp://'.length);
  const authority = target.split(/[/?#\\]/, 1)[0]!;
  const withoutUser = authority.slice(authority.lastIndexOf('@') + 1);
  const plain = `tcp://${withoutUser}`;
  if (words.length > 1) problems.push(`raw TCP has no methods: write ${quote(plain)} alone`);
  if (withoutUser !== authority) problems.push(`a rule has no user name or password: write ${quote(plain)}`);
  else if (authority !== target) problems.push(`raw TCP has no path: write ${quote(plain)}`);
  if (authority.includes(',')) {
    problems.push('it joins hosts with a comma: write one rule a line');
    return null;
  }
  const { host, port } = parseAuthority(withoutUser, { problems, withoutPort: '' });
  const pattern = parseHostPattern(host);
  if (!pattern.ok) problems.push(pattern.problem);
  else if (port === null) problems.push(`raw TCP needs a port: write for example ${quote(`${plain}:5432`)}`);
  return pattern.ok && port !== null ? { kind: 'tcp', text, host: pattern.value, port } : null;
}
