import { isIP } from 'node:net';

/** Where a connection wants to go: a lower-case DNS name or an IP literal without brackets. */
export type Endpoint = { host: string; port: number };

export type ProxyHeader =
  /** fewer bytes than the header says it has; ask again with more */
  | { kind: 'incomplete' }
  /** `lengthBytes` is the header's own length: what follows belongs to the connection */
  | { kind: 'complete'; endpoint: Endpoint; lengthBytes: number }
  /** not a header this proxy accepts; `problem` never quotes what was received */
  | { kind: 'invalid'; problem: string };

/** The header must fit this: the receive buffer every implementation is asked to have (PROXY protocol, section 2.2). */
export const maxHeaderBytes = 536;

/**
 * Reads a PROXY protocol v2 header for a proxied TCP connection from the beginning of `bytes`.
 * Strict, as its only sender is the gateway: LOCAL and UNSPEC, which carry no destination, are invalid here.
 * https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  const seen = Math.min(bytes.length, signature.length);
  if (!bytes.subarray(0, seen).equals(signature.subarray(0, seen))) return invalid('the signature is missing');
  if (bytes.length < fixedBytes) return { kind: 'incomplete' };
  if (bytes[12] !== versionAndProxyCommand) return invalid('it is not version 2 with the command PROXY');
  const addressBytes = addressBlockBytes(bytes[13]!);
  if (addressBytes === null) return invalid('the address family is not TCP over IPv4 or IPv6');
  const lengthBytes = fixedBytes + bytes.readUInt16BE(14);
  if (lengthBytes > maxHeaderBytes) return invalid(`it is longer than ${maxHeaderBytes} bytes`);
  if (lengthBytes < fixedBytes + addressBytes) return invalid('the address block is cut short');
  if (bytes.length < lengthBytes) return { kind: 'incomplete' };

  const addresses = bytes.subarray(fixedBytes, fixedBytes + addressBytes);
  const port = addresses.readUInt16BE(addressBytes - 2);
  if (port === 0) return invalid('the destination port is 0');
  const authority = parseAuthority(bytes.subarray(fixedBytes + addressBytes, lengthBytes));
  if (authority.problem !== null) return invalid(authority.problem);
  return { kind: 'complete', endpoint: { host: authority.name ?? destinationAddress(addresses), port }, lengthBytes };
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = 16;
const versionAndProxyCommand = 0x21;
const authorityType = 0x02;

function invalid(problem: string): ProxyHeader {
  return { kind: 'invalid', problem };
}

function addressBlockBytes(familyAndTransport: number): number | null {
  if (familyAndTransport === 0x11) return 12;
  if (familyAndTransport === 0x21) return 36;
  return null;
}

/** The type-length-value records must fill the header exactly: leftovers would be read as the connection's first bytes. */
function parseAuthority(records: Buffer): { name: string | null; problem: string | null } {
  let name: string | null = null;
  for (let at = 0; at < records.length; ) {
    if (at + 3 > records.length) return { name, problem: 'a record is cut short' };
    const end = at + 3 + records.readUInt16BE(at + 1);
    if (end > records.length) return { name, problem: 'a record is longer than the header' };
    if (records[at] === authorityType) {
      if (name !== null) return { name, problem: 'it names two destinations' };
      name = parseHost(records.toString('latin1', at + 3, end));
      if (name === null) return { name, problem: 'the destination name is not a host name' };
    }
    at = end;
  }
  return { name, problem: null };
}

/** Letters, digits, hyphens and the underscores that real names have, in labels of at most 63 (RFC 1035, 2.3.4). */
const namePattern = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

function parseHost(text: string): string | null {
  const host = text.toLowerCase().replace(/\.$/, '');
  return isIP(host) !== 0 || namePattern.test(host) ? host : null;
}

function destinationAddress(addresses: Buffer): string {
  if (addresses.length === 12) return addresses.subarray(4, 8).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => addresses.readUInt16BE(16 + 2 * i).toString(16));
  // The URL parser writes an IPv6 address in its one canonical form (RFC 5952).
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
