import { cpSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { startUpstream, type Upstream } from '../integration/support/upstream.ts';
import { openWorkspace } from '../integration/support/workspace.ts';
import { isValidAws } from '../proxy/sign-with-aws.ts';
import { headerOf } from './header-of.ts';
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
  // A session's token stands in a header of its own, and is swapped there.
  expect(end.stdout).toContain('session: \n');
  expect(others.map(({ accessKeyId }) => accessKeyId)).toEqual([real.AWS_ACCESS_KEY_ID]);
  expect(headerOf(upstream.received.at(-1)!.headers, 'x-amz-security-token')).toBe(real.SESSION_TOKEN);
  expect(end.report?.blocked).toEqual([]);
  for (const value of Object.values(real)) {
    for (const text of [end.stdout, end.stderr, end.reportText, end.auditLog]) expect(text).not.toContain(value);
  }
});

test('pinned as a signature, what the AWS CLI signed with the placeholder is valid, with a session\'s token too', async () => {
  await using workspace = await openWorkspace();
  cpSync(path.join(import.meta.dirname, 'aws/pinned.sh'), path.join(workspace.path, 'pinned.sh'));
  writeFileSync(path.join(workspace.path, 'upload.txt'), 'hello from the sandbox');
  await using upstream = await startUpstream((request, response) => {
    if (request.headers.host === sts) response.writeHead(200, { 'content-type': 'text/xml' }).end(identity);
    else response.writeHead(200, { etag: '"1"' }).end();
  });
  const hostList = hosts.join();
  const pinned = [`AWS_ACCESS_KEY_ID@${hostList}`, `AWS_SECRET_ACCESS_KEY@${hostList};in=aws-sigv4`, `SESSION_TOKEN@${hostList}`].flatMap((line) => ['--secret', line]);
  const end = await runDecoy([...pinned, ...upstream.resolve(...hosts), '--', 'sh', 'pinned.sh'], { cwd: workspace.path, env: { ...real, ...upstream.env } });
  expect(end.stdout, end.stderr).toBe('identity: arn:aws:iam::1:user/held\nsession: arn:aws:iam::1:user/held\nuploaded\n');
  const requests = upstream.received.map(({ method, url, headers, body }) => ({ method, url, body, headers: headersOf(headers) }));
  expect(requests.map(({ method, headers }) => `${method} ${headers['host']}`)).toEqual([`POST ${sts}`, `POST ${sts}`, `PUT ${bucket}`]);
  for (const request of requests) expect(await isValidAws(request, real.AWS_SECRET_ACCESS_KEY), JSON.stringify(request)).toBe(true);
  expect(requests.map(({ headers }) => headers['x-amz-security-token'])).toEqual([undefined, real.SESSION_TOKEN, undefined]);
  expect(requests[2]!.body).toContain('hello from the sandbox');
  expect(end.report?.secrets.map(({ name, substitutions }) => `${name} ${substitutions}`)).toEqual(['AWS_ACCESS_KEY_ID 3', 'AWS_SECRET_ACCESS_KEY 3', 'SESSION_TOKEN 1']);
  for (const value of Object.values(real)) {
    for (const text of [end.stdout, end.stderr, end.reportText, end.auditLog]) expect(text).not.toContain(value);
  }
});

function headersOf(rawHeaders: readonly string[]): Record<string, string> {
  return Object.fromEntries(rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1]!]] : [])));
}

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

const identity = '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/held</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>';

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
      xml(200, identity);
    } else xml(403, '<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>not the signature of this key</Message></Error></ErrorResponse>');
  };
}
