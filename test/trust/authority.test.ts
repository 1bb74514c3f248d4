import { X509Certificate } from 'node:crypto';
import fs from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, type Authority } from '../../src/trust/authority.ts';
import { subjectHash } from '../../src/trust/subject-hash.ts';
import { isInstalled, runProgram } from './run-program.ts';

let authority: Authority;
let folder: string;
let caFile: string;
beforeAll(async () => {
  authority = await createAuthority();
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'decoy-authority-'));
  caFile = path.join(folder, 'ca.pem');
  await fs.writeFile(caFile, authority.certificatePem);
});
afterAll(() => fs.rm(folder, { recursive: true, force: true }));

const longName = `${'a'.repeat(60)}.${'b'.repeat(60)}.example.test`;

describe.skipIf(!isInstalled('openssl'))('OpenSSL, strict', () => {
  test.each([
    ['a name', 'api.example.test', '-verify_hostname'],
    ['a name with underscores', '_dmarc.my_host.test', '-verify_hostname'],
    ['a name too long for a common name', longName, '-verify_hostname'],
    ['a single label', 'localhost', '-verify_hostname'],
    ['an IPv4 address', '127.0.0.1', '-verify_ip'],
    ['an IPv6 address', '2001:db8::1', '-verify_ip'],
    ['an IPv4-mapped IPv6 address', '::ffff:192.0.2.1', '-verify_ip'],
  ])('verifies the leaf of %s', async (_what, host, option) => {
    const file = path.join(folder, 'leaf.pem');
    await fs.writeFile(file, (await leafOf(host)).toString());
    const verified = await runProgram('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', caFile, option, host, file]);
    expect(verified.output).toContain(': OK');
    const other = await runProgram('openssl', ['verify', '-x509_strict', '-CAfile', caFile, '-verify_hostname', 'other.example.test', file]);
    expect(other.exitCode).not.toBe(0);
  });

  test('verifies the authority itself, and finds it by the hash', async () => {
    expect((await runProgram('openssl', ['verify', '-x509_strict', '-CAfile', caFile, caFile])).output).toContain(': OK');
    const hash = await runProgram('openssl', ['x509', '-in', caFile, '-noout', '-subject_hash']);
    expect(subjectHash(authority.certificatePem)).toBe(hash.output.trim());
  });

  test('names certificates of other names by the same hash', async () => {
    const file = path.join(folder, 'other.pem');
    for (const subject of ['/CN=Zwei  Leer  Ltd.', '/CN=Plain ROOT']) {
      await runProgram('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-utf8',
        '-keyout', '/dev/null', '-out', file, '-subj', subject]);
      const hash = await runProgram('openssl', ['x509', '-in', file, '-noout', '-subject_hash']);
      expect(subjectHash(await fs.readFile(file, 'utf8'))).toBe(hash.output.trim());
    }
  });

  test.each(['/C=DE/CN=Two', '/CN=a\\, b', '/O=None'])('does not name a certificate of %s', async (subject) => {
    const file = path.join(folder, 'refused.pem');
    await runProgram('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null', '-out', file, '-subj', subject]);
    const text = await fs.readFile(file, 'utf8');
    expect(() => subjectHash(text)).toThrow('is not one plain common name');
  });
});

test('the authority may sign leaves only, and only for some days', () => {
  const certificate = new X509Certificate(authority.certificatePem);
  expect(certificate.ca).toBe(true);
  expect(certificate.subject).toMatch(/^CN=Decoy run CA [0-9a-f]{12}$/);
  const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 86_400_000;
  expect(days).toBe(3);
  expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now() - 86_000_000);
});

test('a leaf is no authority, has a serial of its own and an empty subject where the name is too long', async () => {
  const [one, two, long] = await Promise.all([leafOf('one.test'), leafOf('two.test'), leafOf(longName)]);
  expect(one.ca).toBe(false);
  expect(one.serialNumber).not.toBe(two.serialNumber);
  expect(one.subject).toBe('CN=one.test');
  expect(long.subject).toBeFalsy();
  expect(one.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
});

test.each(['', '*', '*.example.test', 'a..b', '.a', 'a.', 'UPPER.test', 'a b', 'a\0b', '-a.test', 'münchen.test', '[::1]', 'fe80::1%lo', `${'a'.repeat(64)}.test`,
  `${'a.'.repeat(127)}a`])('refuses %j without repeating it', async (host) => {
  const message = await Promise.resolve().then(() => authority.leafContext(host)).then(() => null, (error: Error) => error.message);
  expect(message).toBe('no certificate was made: the host is neither a lower-case DNS name nor an IP literal');
});

test('the same name has the same context, until five hundred others have been asked for', async () => {
  const first = await authority.leafContext('cached.test');
  expect(await authority.leafContext('cached.test')).toBe(first);
  for (let index = 0; index < 512; index++) await authority.leafContext(`n${index}.test`);
  expect(await authority.leafContext('cached.test')).not.toBe(first);
});

test('two runs share neither name nor key', async () => {
  const other = await createAuthority();
  const [mine, theirs] = [authority, other].map(({ certificatePem }) => new X509Certificate(certificatePem));
  expect(mine!.subject).not.toBe(theirs!.subject);
  expect(mine!.verify(theirs!.publicKey)).toBe(false);
});

test('TLS 1.1 is refused, 1.2 and 1.3 are not', async () => {
  await expect(handshake('api.example.test', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).rejects.toThrow();
  expect((await handshake('api.example.test', { maxVersion: 'TLSv1.2' })).protocol).toBe('TLSv1.2');
  expect((await handshake('api.example.test', {})).protocol).toBe('TLSv1.3');
});

async function leafOf(host: string): Promise<X509Certificate> {
  return (await handshake(host, {})).certificate;
}

/** A real handshake over a socket with a server that has only the context under test. */
async function handshake(host: string, options: tls.ConnectionOptions): Promise<{ certificate: X509Certificate; protocol: string }> {
  const secureContext = await authority.leafContext(host);
  const server = net.createServer((socket) => void new tls.TLSSocket(socket, { isServer: true, secureContext }).on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await new Promise((resolve, reject) => {
      const socket = tls.connect({ ...options, port: (server.address() as net.AddressInfo).port, ca: authority.certificatePem, checkServerIdentity: () => undefined });
      socket.once('error', reject).once('secureConnect', () => {
        resolve({ certificate: socket.getPeerX509Certificate()!, protocol: socket.getProtocol()! });
        socket.destroy();
      });
    });
  } finally {
    server.close();
  }
}
