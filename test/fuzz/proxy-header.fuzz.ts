import { isIP } from 'node:net';
import { maxHeaderBytes, parseProxyHeader } from '../../src/proxy/proxy-header.ts';
import { check, readBytes } from './bytes.ts';

/** The PROXY header: read as any reader of the specification reads it, written again it is the same bytes, and no prefix of a header is one. */
export function fuzz(data: Buffer): void {
  checkHeader(data);
  const bytes = readBytes(data);
  const port = 256 * bytes.below(256) + bytes.below(256);
  const name = bytes.line();
  checkWritten({ name, port, rest: bytes.rest().subarray(0, 200) });
}

function checkHeader(data: Buffer): void {
  const header = parseProxyHeader(data);
  if (header.kind !== 'complete') return;
  const { lengthBytes, endpoint: { host, port } } = header;
  check(lengthBytes <= data.length && lengthBytes <= maxHeaderBytes, 'the length is within bounds');
  const own = data.subarray(0, lengthBytes);
  const parts = split(own);
  check(join(parts).equals(own), 'written again it is the same bytes');
  check(parts.destinationPort === port && port > 0, 'the port is the destination\'s');
  const names = parts.records.filter(({ type }) => type === 0x02).map(({ value }) => value.toString('latin1').toLowerCase().replace(/\.$/, ''));
  check(names.length <= 1 && host === (names[0] ?? addressText(parts.destination)), 'the host is the one name, or the address');
  check(isIP(host) !== 0 || /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/.test(host), 'the host is a name or an address');
  for (let length = 0; length < lengthBytes; length += 1) check(parseProxyHeader(data.subarray(0, length)).kind === 'incomplete', 'every prefix is incomplete');
  check(JSON.stringify(parseProxyHeader(own)) === JSON.stringify(header), 'what follows changes nothing');
}

/** The header a gateway would write for any name and port, with bytes of the connection behind it. */
function checkWritten({ name, port, rest }: { name: string; port: number; rest: Buffer }): void {
  const written = join({
    family: 0x11, source: Buffer.from([198, 18, 0, 1]), destination: Buffer.from([198, 18, 0, 2]), sourcePort: 40_000, destinationPort: port,
    records: [{ type: 0x02, value: Buffer.from(name, 'latin1') }],
  });
  const header = parseProxyHeader(Buffer.concat([written, rest]));
  const isName = name.length < 254 && /^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?)*$/.test(name);
  if (isName && port > 0) check(header.kind === 'complete' && header.lengthBytes === written.length && header.endpoint.host === name && header.endpoint.port === port, 'what the gateway writes is understood');
  if (header.kind === 'complete') check(header.endpoint.host === name.toLowerCase().replace(/\.$/, '') && header.endpoint.port === port, 'nothing else is understood');
}

/** Section 2.2 of the specification, by itself. */
type Parts = { family: number; source: Buffer; destination: Buffer; sourcePort: number; destinationPort: number; records: { type: number; value: Buffer }[] };

function split(header: Buffer): Parts {
  const family = header[13]!;
  const size = family === 0x11 ? 4 : 16;
  const portsAt = 16 + 2 * size;
  const records: Parts['records'] = [];
  for (let at = portsAt + 4; at < header.length; ) {
    const length = header.readUInt16BE(at + 1);
    records.push({ type: header[at]!, value: header.subarray(at + 3, at + 3 + length) });
    at += 3 + length;
  }
  return {
    family, records, source: header.subarray(16, 16 + size), destination: header.subarray(16 + size, portsAt),
    sourcePort: header.readUInt16BE(portsAt), destinationPort: header.readUInt16BE(portsAt + 2),
  };
}

function join({ family, source, destination, sourcePort, destinationPort, records }: Parts): Buffer {
  const body = Buffer.concat([source, destination, twoBytes(sourcePort), twoBytes(destinationPort), ...records.flatMap(({ type, value }) => [Buffer.from([type]), twoBytes(value.length), value])]);
  return Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a21', 'hex'), Buffer.from([family]), twoBytes(body.length), body]);
}

function twoBytes(number: number): Buffer {
  return Buffer.from([number >> 8, number & 255]);
}

function addressText(address: Buffer): string {
  if (address.length === 4) return [...address].join('.');
  return new URL(`http://[${address.toString('hex').replaceAll(/(.{4})(?!$)/g, '$1:')}]`).hostname.slice(1, -1);
}
