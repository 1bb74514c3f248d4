import { otherReadings } from '../../src/proxy/other-readings.ts';
import { parseTarget } from '../../src/proxy/target.ts';
import { check, readBytes } from './bytes.ts';

const destinations = [
  { scheme: 'https', host: 'api.test', port: 443 }, { scheme: 'http', host: 'api.test', port: 8080 }, { scheme: 'https', host: '2001:db8::1', port: 443 }, { scheme: 'http', host: '192.0.2.7', port: 80 },
] as const;

/** Targets and Host: what is accepted is the destination to a URL parser, too, and goes on as a path. */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const destination = destinations[bytes.below(4)]!;
  const version = bytes.below(2) === 0 ? '1.1' : '1.0';
  const method = bytes.below(2) === 0 ? 'GET' : 'OPTIONS';
  const host = bytes.line();
  const url = bytes.rest().toString('latin1');
  const rawHeaders = bytes.below(8) === 7 ? [] : ['Host', host];
  const target = parseTarget({ pseudo: null, version, method, url, rawHeaders }, destination);
  for (const { path } of otherReadings({ headers: { 'x-original-url': host, x_rewrite_url: url } }, { method, path: '/' }) ?? []) check(!/[?#]/.test(path), 'another reading is a path');
  if (!target.ok) return check([400, 421].includes(target.refusal.status), 'a refusal has its status');
  check(target.url === '*' || target.url.startsWith('/'), 'origin form');
  check(!target.url.includes('#') && !target.path.includes('?') && target.url.startsWith(target.path), 'the path is the target\'s, without query and fragment');
  const wanted = new URL(`${destination.scheme}://${target.host}`);
  const port = wanted.port === '' ? (destination.scheme === 'https' ? '443' : '80') : wanted.port;
  check(wanted.hostname.replace(/^\[|\]$/g, '') === destination.host && port === String(destination.port), 'the Host sent on is the destination');
  if (rawHeaders.length > 0) check(sameHost(new URL(`${destination.scheme}://${host}`), wanted), 'the Host given is, to a URL parser');
  if (!/^[/*]/.test(url)) check(sameHost(new URL(url), wanted), 'the absolute target is, to a URL parser');
}

function sameHost(given: URL, wanted: URL): boolean {
  return given.protocol === wanted.protocol && given.hostname.replace(/\.$/, '') === wanted.hostname && given.port === wanted.port && given.username === '' && given.password === '';
}
