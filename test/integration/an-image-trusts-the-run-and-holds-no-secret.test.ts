import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { runDecoy } from './support/run-decoy.ts';
import { busybox, file, goProgram, link, openTestImage } from './support/test-image.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace } from './support/workspace.ts';

// I1, I5, I6
const secret = `sk-${randomBytes(30).toString('base64url')}`;
const bundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/cert.pem', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', '/etc/ssl/ca-bundle.pem'];

test('a client of the image trusts the run by the usual files alone, its placeholder opens one host, and the image\'s own roots are gone', async () => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((request, response) => void response.end(`got ${request.headers.authorization}`));
  await using image = openTestImage({
    entries: [
      ...busybox('sh', 'env', 'grep', 'cat', 'echo', 'find', 'xargs'), await goProgram('fetch.go', 'bin/fetch'),
      // As Fedora has it: a link to a link, and a directory that is one.
      file('etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', 'the image\'s own'), link('etc/pki/tls/certs/ca-bundle.crt', '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem'), link('etc/ssl/certs', '../pki/tls/certs'),
    ],
    changes: ['ENV API_KEY=from-the-image SSL_CERT_FILE=/nowhere'],
  });
  const script = [
    'echo "PLACEHOLDER $API_KEY"', 'fetch https://api.example.test/a https://other.example.test/b', 'unset SSL_CERT_FILE; fetch https://api.example.test/c',
    `for file in ${bundles.join(' ')}; do grep -c "$(grep -v CERT /decoy/ca.pem | { read first; read second; echo "$second"; })" $file; done`,
    'grep -l "the image\'s own" -r /etc; find / -xdev -type f 2>/dev/null | xargs cat 2>/dev/null | grep -c "$PATTERN"; env',
  ].join('\n');
  const end = await runDecoy([
    '--quiet', '--image', image.reference, '--secret', 'API_KEY@api.example.test', '--env', 'FETCH_HEADER=Authorization: Bearer $API_KEY', '--env', 'PATTERN=decoy-does-not-find-this',
    ...upstream.resolve('api.example.test', 'other.example.test'), '--allow', 'other.example.test', '--', 'sh', '-c', script,
  ], { cwd: workspace.path, env: { ...upstream.env, API_KEY: secret } });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  const placeholder = /^PLACEHOLDER (.*)$/m.exec(end.stdout)![1]!;
  expect(placeholder).toMatch(/^sk-/);
  // The control: the upstream was sent the real value, twice.
  expect(upstream.received.map(({ url, headers }) => [url, headers.includes(`Bearer ${secret}`)])).toEqual([['/a', true], ['/c', true]]);
  expect(end.stdout).toContain(`https://api.example.test/a 200 got Bearer ${placeholder} <nil>`);
  expect(end.stdout).toMatch(/https:\/\/other\.example\.test\/b 403 .*placeholder-wrong-host/);
  expect(end.stdout).toContain(`https://api.example.test/c 200 got Bearer ${placeholder} <nil>`);
  expect(end.stdout).toContain('1\n'.repeat(bundles.length));
  expect(`${end.stdout}${end.reportText}${end.auditLog}`).not.toContain(secret);
  expect(end.stdout).not.toMatch(/from-the-image|^\/etc\/.*pem$/m);
}, 120_000);
