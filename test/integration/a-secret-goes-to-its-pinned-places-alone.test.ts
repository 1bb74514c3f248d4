import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { runDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace } from './support/workspace.ts';

// I5
const secret = 'p4ss/w0rd+of "the" test=&é';
/** its placeholder is as long */
const plainSecret = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4';

test.each([['1.1', '--http1.1'], ['2', '--http2']])('over HTTP/%s a secret goes into a query, a path, JSON, forms and a coded body, and nowhere it is not pinned to', async (version, option) => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((_, response) => void response.end('ok'), { speaksHttp2: true });
  const status = (label: string, line: string) => `echo "${label} $(curl ${option} -sS -m 10 -o /dev/null -w '%{http_version} %{http_code}' ${line})"`;
  const host = 'https://api.example.test';
  const script = [
    'echo "PLACEHOLDER $KEY"',
    status('QUERY', `"${host}/query?key=$KEY"`),
    status('PATH', `"${host}/bot$KEY/send"`),
    status('HEADER', `-H "X-Token: $KEY" ${host}/header`),
    status('JSON', `-H 'Content-Type: application/json' -d '{"auth":{"token":"'$KEY'"}}' ${host}/json`),
    status('FORM', `--data-urlencode "auth.token=$KEY" -d a=1 ${host}/form`),
    status('MULTIPART', `-F a=1 -F "auth.token=$KEY" ${host}/multipart`),
    `printf '{"auth":{"token":"%s"}}' "$KEY" | gzip > /tmp/body`,
    status('GZIP', `-H 'Content-Type: application/json' -H 'Content-Encoding: gzip' --data-binary @/tmp/body ${host}/gzip`),
    status('BODY', `-H 'Content-Type: text/plain' -d "a $PLAIN b" ${host}/body`),
    status('WRONG-KEY', `"${host}/wrong?other=$KEY"`),
    status('WRONG-FIELD', `-H 'Content-Type: application/json' -d '{"token":"'$KEY'"}' ${host}/wrong`),
    status('WRONG-HEADER', `-H "Authorization: Bearer $KEY" ${host}/wrong`),
    status('TWICE', `"${host}/wrong?key=$KEY&key=$KEY"`),
    status('UNREADABLE', `-H 'Content-Type: application/json' -d '{auth:{"token":"'$KEY'"}}' ${host}/wrong`),
    status('FOREIGN', `-H "Authorization: Bearer own" ${host}/foreign`),
  ].join('\n');
  const end = await runDecoy([
    '--quiet', '--secret', 'KEY@api.example.test;in=query:key,path,header:x-token,body:auth.token', '--secret', 'PLAIN@api.example.test;in=body', '--foreign-credentials', 'strip',
    ...upstream.resolve('api.example.test'), '--', 'sh', '-c', script,
  ], { cwd: workspace.path, env: { ...upstream.env, KEY: secret, PLAIN: plainSecret } });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  const line = (label: string) => new RegExp(`^${label} (.*)$`, 'm').exec(end.stdout)?.[1] ?? '';
  for (const label of ['QUERY', 'PATH', 'HEADER', 'JSON', 'FORM', 'MULTIPART', 'GZIP', 'BODY', 'FOREIGN']) expect(`${label} ${line(label)}`).toBe(`${label} ${version} 200`);
  for (const label of ['WRONG-KEY', 'WRONG-FIELD', 'WRONG-HEADER', 'TWICE', 'UNREADABLE']) expect(`${label} ${line(label)}`).toMatch(/ 403$/);

  expect(new Set(upstream.received.map(({ version: received }) => Number(received)))).toEqual(new Set([Number(version)]));
  // The control: the upstream reads the real value wherever it was right, and has nothing of the rest.
  const at = (name: string) => upstream.received.find(({ url }) => url.startsWith(name))!;
  const utf8 = (text: string) => Buffer.from(text, 'latin1').toString();
  expect(new URL(at('/query').url, host).searchParams.get('key')).toBe(secret);
  expect(decodeURIComponent(at('/bot').url.split('/')[1]!)).toBe(`bot${secret}`);
  expect(utf8(at('/header').headers.join('\n'))).toContain(secret);
  expect(JSON.parse(utf8(at('/json').body))).toEqual({ auth: { token: secret } });
  expect(new URLSearchParams(at('/form').body).get('auth.token')).toBe(secret);
  expect(utf8(at('/multipart').body)).toContain(`name="auth.token"\r\n\r\n${secret}\r\n`);
  expect(JSON.parse(zlib.gunzipSync(Buffer.from(at('/gzip').body, 'latin1')).toString())).toEqual({ auth: { token: secret } });
  expect(at('/body')).toMatchObject({ body: `a ${plainSecret} b`, headers: expect.arrayContaining([String(plainSecret.length + 4)]) });
  expect(at('/foreign').headers.join('\n')).not.toMatch(/authorization/i);
  expect(upstream.received.some(({ url }) => url.startsWith('/wrong'))).toBe(false);
  expect(JSON.stringify(upstream.received)).not.toContain(line('PLACEHOLDER'));
  for (const text of [end.stdout, end.reportText, end.auditLog]) for (const form of [secret, encodeURIComponent(secret), plainSecret]) expect(text).not.toContain(form);
  expect(end.auditLog).toContain('"path":"/bot[KEY]/send"');
  expect(end.report).toMatchObject({ secrets: [{ name: 'KEY', substitutions: 7, refusals: 5 }, { name: 'PLAIN', substitutions: 1, refusals: 0 }] });
}, 60_000);
