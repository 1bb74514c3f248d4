import { maxHeaderBytes, parseProxyHeader } from '../../src/proxy/proxy-header.ts';
import { check } from './bytes.ts';

/** The PROXY header: an honest length, a usable endpoint, and no prefix of a header is one itself. */
export function fuzz(data: Buffer): void {
  const header = parseProxyHeader(data);
  if (header.kind !== 'complete') return;
  const { lengthBytes, endpoint: { host, port } } = header;
  check(lengthBytes <= data.length && lengthBytes <= maxHeaderBytes && lengthBytes === 16 + data.readUInt16BE(14), 'the length is the header\'s own');
  check(port > 0 && port <= 65_535 && host !== '' && host === host.toLowerCase() && !/[^a-z0-9_.:-]/.test(host), 'the endpoint is a host and a port');
  for (let length = 0; length < lengthBytes; length += 1) check(parseProxyHeader(data.subarray(0, length)).kind === 'incomplete', 'every prefix is incomplete');
  check(JSON.stringify(parseProxyHeader(data.subarray(0, lengthBytes))) === JSON.stringify(header), 'what follows changes nothing');
}
