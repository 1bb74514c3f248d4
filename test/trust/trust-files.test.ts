import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createAuthority } from '../../src/trust/authority.ts';
import { trustEnvironment } from '../../src/trust/environment.ts';
import { parsePem, renderPem } from '../../src/trust/pem.ts';
import { buildTrustStore } from '../../src/trust/pkcs12.ts';
import { readSystemRoots } from '../../src/trust/system-roots.ts';
import { buildTrustBundle } from '../../src/trust/trust-bundle.ts';
import { trustFiles } from '../../src/trust/trust-files.ts';

test('the bundle is the authority, then every root of the system once', async () => {
  const [{ certificatePem }, roots] = await Promise.all([createAuthority(), readSystemRoots()]);
  const bundle = buildTrustBundle({ systemRootsPem: `# a comment\n${roots}\n${roots}${certificatePem}`, authorityPem: certificatePem });
  expect(bundle.startsWith(certificatePem)).toBe(true);
  expect(parsePem(bundle)).toHaveLength(parsePem(roots).length + 1);
  expect(bundle).not.toContain('#');
});

test('a private key among the roots does not reach the bundle', () => {
  const certificate = renderPem(Buffer.from('30820000', 'hex'));
  const systemRootsPem = `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${certificate}`;
  expect(buildTrustBundle({ systemRootsPem, authorityPem: certificate })).toBe(certificate);
});

test('without a bundle on the host the roots are Node\'s own', async () => {
  expect(parsePem(await readSystemRoots(['/nonexistent'])).length).toBeGreaterThan(50);
});

test('the same roots give the same trust store, in a fraction of a second', async () => {
  const roots = await readSystemRoots();
  const startedAt = performance.now();
  const store = buildTrustStore([roots]);
  expect(performance.now() - startedAt).toBeLessThan(300);
  expect(buildTrustStore([roots]).equals(store)).toBe(true);
});

test('OpenSSL reads every root out of the trust store, in order, each with an alias of its own', async () => {
  const roots = await readSystemRoots();
  const { status, stdout, stderr } = spawnSync('openssl', ['pkcs12', '-nokeys', '-nomacver', '-passin', 'pass:any'], { input: buildTrustStore([roots]), encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const inStore = parsePem(stdout);
  expect(inStore.map((der) => der.toString('base64'))).toEqual(parsePem(roots).map((der) => der.toString('base64')));
  expect(stdout.match(/friendlyName: .*/g)).toEqual(inStore.map((_, index) => `friendlyName: decoy root ${index + 1}`));
});

test('settings that replace roots get the bundle, settings that add get the authority alone', () => {
  const environment = trustEnvironment({ bundle: '/d/b', authority: '/d/a', trustStore: '/d/t' });
  const having = (value: string) => Object.keys(environment).filter((name) => environment[name] === value);
  expect(having('/d/a')).toEqual(['NODE_EXTRA_CA_CERTS', 'DENO_CERT']);
  expect(having('/d/b')).toEqual(expect.arrayContaining(['SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE', 'npm_config_cafile']));
  expect(environment['JAVA_TOOL_OPTIONS']).toBe('-Djavax.net.ssl.trustStore=/d/t -Djavax.net.ssl.trustStoreType=PKCS12');
});

test('every link among the trust files leads to a file among them', async () => {
  const { certificatePem } = await createAuthority();
  const files = trustFiles({ bundlePem: 'b', authorityPem: certificatePem, trustStore: Buffer.from('t') });
  const paths = files.filter((file) => 'content' in file).map((file) => file.path);
  for (const file of files) {
    if ('target' in file) expect(paths).toContain(new URL(file.target, `file://${file.path}`).pathname);
  }
});
