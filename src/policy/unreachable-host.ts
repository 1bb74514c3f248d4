import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { quote } from './quote.ts';

/**
 * Why nothing outside the sandbox can ever be reached under a host, or null: what is loopback there never leaves it, resolve or not
 * (RFC 6761 section 6.3 for `localhost` and the names below), and some addresses are no host's at all. One clause with the remedy.
 * `host` is normalised; IPv4 and names only.
 */
export function unreachableHost(host: string): string | null {
  const elsewhere = 'to reach a service of the host, give it a name such as `service.internal` in allow, and `service.internal:443:127.0.0.1:8443` in resolve';
  if (host === 'localhost' || host.endsWith('.localhost')) return `${quote(host)} is the sandbox itself: ${elsewhere}`;
  if (!isIPv4(host)) return null;
  const range = ipaddr.IPv4.parse(host).range();
  if (range === 'loopback') return `${quote(host)} is the sandbox itself: ${elsewhere}`;
  if (host === '0.0.0.0') return `${quote(host)} stands for every address of a machine: write the address or the name of one host`;
  if (range === 'multicast' || range === 'broadcast') return `${quote(host)} is a ${range} address, which nothing can connect to: write the address or the name of one host`;
  return null;
}
