import { expect, test } from 'vitest';
import { explainPullError } from '../../../src/sandbox/image/explain-pull-error.ts';

const reference = { text: 'ghcr.io/a/b:1', registry: 'ghcr.io' };

// Messages of Docker 20.10 to 29, with and without its containerd image store.
test.each([
  ['no matching manifest for linux/arm64/v8 in the manifest list entries', 'it is not made for this machine\'s platform'],
  ['no match for platform in manifest: not found', 'it is not made for this machine\'s platform'],
  ['manifest for ghcr.io/a/b:1 not found: manifest unknown: manifest unknown', 'there is no such image'],
  ['failed to resolve reference "ghcr.io/a/b:1": ghcr.io/a/b:1: not found', 'there is no such image'],
  ['pull access denied for a/b, repository does not exist or may require \'docker login\': denied', 'log in before with `docker login ghcr.io`'],
  ['failed to resolve reference "ghcr.io/a/b:1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed', 'log in before with'],
  ['Head "https://ghcr.io/v2/a/b/manifests/1": unauthorized: authentication required', 'log in before with'],
  ['unexpected status from HEAD request to https://ghcr.io/v2/a/b/manifests/1: 403 Forbidden', 'log in before with'],
  ['toomanyrequests: You have reached your unauthenticated pull rate limit.', 'too many requests from here'],
  ['Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io: no such host', 'see that the engine reaches ghcr.io, or pull it before'],
  ['Get "https://ghcr.io/v2/": x509: certificate signed by unknown authority', 'see that the engine reaches ghcr.io, or pull it before'],
])('%s', (message, remedy) => {
  const told = explainPullError(message, { reference, hasLogin: false });
  expect(told).toContain(`cannot pull "ghcr.io/a/b:1" (${message}): `);
  expect(told).toContain(remedy);
});

test('a login that was refused is said to have been, and a long message is cut', () => {
  expect(explainPullError('unauthorized', { reference, hasLogin: true })).toContain(', as the login there is was refused');
  expect(explainPullError('x'.repeat(10_000), { reference, hasLogin: false }).length).toBeLessThan(600);
});
