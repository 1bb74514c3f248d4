import { expect, test } from 'vitest';
import { parseReference } from '../../../src/sandbox/image/parse-reference.ts';

const hex = 'ab'.repeat(32);

// https://github.com/distribution/reference: reference_test.go and normalize_test.go have the same rows.
test.each<[string, string, string, string]>([
  ['debian', 'docker.io', 'library/debian', 'latest'],
  ['debian:12', 'docker.io', 'library/debian', '12'],
  ['owner/name', 'docker.io', 'owner/name', 'latest'],
  ['docker.io/debian', 'docker.io', 'library/debian', 'latest'],
  ['index.docker.io/owner/name', 'docker.io', 'owner/name', 'latest'],
  ['ghcr.io/owner/name:v1.2_x-y', 'ghcr.io', 'owner/name', 'v1.2_x-y'],
  ['ghcr.io/name', 'ghcr.io', 'name', 'latest'],
  ['localhost/name', 'localhost', 'name', 'latest'],
  ['localhost:5000/a/b/c:1', 'localhost:5000', 'a/b/c', '1'],
  ['127.0.0.1:5000/a', '127.0.0.1:5000', 'a', 'latest'],
  ['Registry.Example.com/a__b/c-d---e', 'Registry.Example.com', 'a__b/c-d---e', 'latest'],
  [`debian@sha256:${hex}`, 'docker.io', 'library/debian', `sha256:${hex}`],
  [`ghcr.io/owner/name:1@sha256:${hex}`, 'ghcr.io', 'owner/name', `sha256:${hex}`],
  // An ID: the engine knows it, a registry does not.
  [`sha256:${hex}`, 'docker.io', 'library/sha256', hex],
])('%s', (text, registry, repository, version) => {
  expect(parseReference(text)).toEqual({ text, registry, repository, version });
});

test.each(['', ' ', 'Debian', 'a b', '/a', 'a/', 'a//b', 'a:', ':1', 'a:b c', 'a@sha256:ab', `a@md5:${hex}`, 'https://ghcr.io/a/b', '-a', 'a_', 'a..b', 'ghcr.io/', 'ghcr.io/A', `a:${'x'.repeat(129)}`, 'a'.repeat(256), 'a\nb', '$(id)'])(
  '%j is none', (text) => {
    expect(parseReference(text)).toBeNull();
  },
);
