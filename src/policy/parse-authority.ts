import { quote } from './quote.ts';

export type AuthorityOptions = {
  problems: string[];
  /** ends the remedies: what may be written in place of a port */
  withoutPort: string;
};

/** Splits `host[:port]`; what is wrong with the port is added to `problems`. The host is not looked at. */
export function parseAuthority(authority: string, options: AuthorityOptions): { host: string; port: number | null } {
  const bracketed = /^(\[[^\]]*\])(?::(.*))?$/s.exec(authority);
  const colon = authority.indexOf(':');
  // More than one colon without brackets is an IPv6 address, which parseHostPattern refuses by name.
  const plain = colon !== -1 && colon === authority.lastIndexOf(':') ? [authority.slice(0, colon), authority.slice(colon + 1)] as const : null;
  const host = bracketed?.[1] ?? plain?.[0] ?? authority;
  const portText = bracketed === null ? plain?.[1] : bracketed[2];
  return { host, port: portText === undefined ? null : parsePort(portText, options) };
}

function parsePort(text: string, { problems, withoutPort }: AuthorityOptions): number | null {
  const port = Number(text);
  if (!/^[1-9][0-9]{0,4}$/.test(text) || port > 65_535) {
    problems.push(`the port ${quote(text)} is not a number from 1 to 65535: write such a number${withoutPort}`);
  } else if (port === dnsPort) {
    problems.push(`port 53 is where the sandbox asks for names, and cannot be allowed: write another port${withoutPort}`);
  }
  return port;
}

/** The gateway answers DNS there (RFC 1035 section 4.2): a rule for it could never take effect. */
const dnsPort = 53;
