import { cpSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { startUpstream, type Upstream } from '../integration/support/upstream.ts';
import { openWorkspace } from '../integration/support/workspace.ts';
import { readSignature } from './aws/signature-of.ts';
import { strangersRoots } from './strangers-roots.ts';

const bucket = 'greetings.s3.us-east-1.amazonaws.com';
const sts = 'sts.us-east-1.amazonaws.com';
const hosts = [bucket, sts];
const real = {
  AWS_ACCESS_KEY_ID: 'AKIAREALREALREALREAL', AWS_SECRET_ACCESS_KEY: 'realSecretKey/realSecretKey+realSecretKe',
  SESSION_TOKEN: 'realSessionTokenRealSessionTokenRealSessionTokenRealSessionToken',
};
const held = { HELD_ID: 'AKIAHELDHELDHELDHELD', HELD_KEY: 'heldSecretKey/heldSecretKey+heldSecretKe' };
const secrets = Object.keys(real).flatMap((name) => ['--secret', `${name}@${sts}`]);
const plain = Object.entries(held).flatMap(([name, value]) => ['--env', `${name}=${value}`]);

test('the AWS CLI gets through unsigned and with keys it holds; signed with a placeholder its request arrives and is not valid', async () => {
  await using workspace = await openWorkspace();
  cpSync(path.join(import.meta.dirname, 'aws/signed.sh'), path.join(workspace.path, 'signed.sh'));
  await using upstream = await startUpstream((request, response) => respond(upstream)(request, response));
  const args = [...secrets, ...plain, '--allow', bucket, ...upstream.resolve(...hosts), '--', 'sh', 'signed.sh'];
  const end = await runDecoy(args, { cwd: workspace.path, env: { ...real, ...upstream.env } });

  expect(end.stdout, end.stderr).toContain('unsigned: hello aws\n');
  // Signatures cover headers and body: nothing of them was changed on the way.
  expect(end.stdout, end.stderr).toContain('held: arn:aws:iam::1:user/held\n');
  expect(end.stdout).toContain('placeholder: \n');
  expect(end.stderr).toContain('(SignatureDoesNotMatch)');

  const [, withPlaceholder, ...others] = upstream.received.filter(({ host }) => host === sts).map(readSignature);
  const placeholder = /^secret key: (.*)$/m.exec(end.stdout)?.[1] as string;
  expect(withPlaceholder?.accessKeyId).toBe(real.AWS_ACCESS_KEY_ID);
  expect(withPlaceholder?.signature).toBe(withPlaceholder?.signedWith(placeholder));
  expect(others).toEqual([]);

  // A session's token stands in a header of its own, which is none where secrets are swapped.
  expect(end.stdout).toContain('session: \n');
  expect(end.report?.blocked).toEqual([expect.objectContaining({ host: sts, reason: 'placeholder-wrong-place', count: 1 })]);
  for (const value of Object.values(real)) {
    for (const text of [end.stdout, end.stderr, end.reportText, end.auditLog]) expect(text).not.toContain(value);
  }
});

const unsigned = ['env', 'AWS_REGION=us-east-1', 'AWS_MAX_ATTEMPTS=1', 'aws', 's3', 'cp', `s3://${bucket.split('.')[0]}/aws`, '-', '--no-sign-request'];

test('without a rule for the host the AWS CLI gets nowhere, and the upstream sees nothing', async () => {
  await using upstream = await startUpstream((request, response) => respond(upstream)(request, response));
  const end = await runDecoy(['--workspace', 'none', ...upstream.resolve(...hosts), '--', ...unsigned], { env: upstream.env });
  expect(end.exitCode).not.toBe(0);
  expect(upstream.received).toEqual([]);
  expect(end.report?.blocked.map(({ host }) => host)).toEqual([bucket]);
});

test('with roots that lack the run\'s authority the AWS CLI connects and refuses, and the upstream sees nothing', async () => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((request, response) => respond(upstream)(request, response));
  const roots = await strangersRoots(workspace.path);
  const end = await runDecoy(['--allow', bucket, ...upstream.resolve(...hosts), ...roots, ...unsigned], { cwd: workspace.path, env: upstream.env });
  expect(end.exitCode).not.toBe(0);
  expect(end.stderr).toMatch(/SSL validation failed|certificate verify failed/);
  expect(upstream.received).toEqual([]);
  expect(end.report?.usage.network.hosts.map(({ host }) => host)).toEqual([bucket]);
});

/** An object anybody may read, and a service that says who signed. */
function respond(upstream: Upstream): RequestListener {
  const keys: Record<string, string> = { [real.AWS_ACCESS_KEY_ID]: real.AWS_SECRET_ACCESS_KEY, [held.HELD_ID]: held.HELD_KEY };
  return (request, response) => {
    const xml = (status: number, text: string) => response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
    if (request.headers.host === bucket) {
      const headers = { 'content-length': '9', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT', etag: '"1"' };
      response.writeHead(200, headers).end('hello aws');
      return;
    }
    const { accessKeyId, signature, signedWith } = readSignature(upstream.received.at(-1) as Upstream['received'][number]);
    if (signature === signedWith(keys[accessKeyId] ?? '')) {
      xml(200, '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/held</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>');
    } else xml(403, '<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>not the signature of this key</Message></Error></ErrorResponse>');
  };
}
