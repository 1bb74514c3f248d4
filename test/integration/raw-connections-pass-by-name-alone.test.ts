import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { runDecoy } from './support/run-decoy.ts';

// I5: a raw connection goes where a rule says, by name, and carries no secret in clear.

/** SMTP (RFC 5321), in which the server speaks first, as far as a client needs it to leave a message. */
async function startMailServer() {
  const received: string[] = [];
  const server = net.createServer((socket) => {
    let isMessage = false;
    let buffered = '';
    socket.on('error', () => undefined).write('220 mail.example.test ESMTP\r\n');
    socket.on('data', (chunk) => {
      received.push(String(chunk));
      buffered += String(chunk);
      for (let end = buffered.indexOf('\r\n'); end !== -1; end = buffered.indexOf('\r\n')) {
        const line = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        if (isMessage && line !== '.') continue;
        isMessage = line === 'data' || line === 'DATA';
        socket.write(isMessage ? '354 go on\r\n' : /^quit/i.test(line) ? '221 bye\r\n' : '250 fine\r\n');
        if (/^quit/i.test(line)) socket.end();
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { received, port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: async () => { await new Promise((done) => server.close(done)); } };
}

const client = `
import os, smtplib, socket
def leave(label, host, port, text):
    try:
        with smtplib.SMTP(host, port, timeout=20) as mail:
            mail.sendmail('a@example.test', 'b@example.test', 'Subject: x\\r\\n\\r\\n' + text + '\\r\\n')
        print(label, 'sent')
    except (OSError, smtplib.SMTPException) as error:
        print(label, type(error).__name__)
leave('ALLOWED', 'mail.example.test', 2525, 'hello')
leave('PLACEHOLDER', 'mail.example.test', 2525, 'the key is ' + os.environ['API_KEY'])
leave('OTHER-PORT', 'mail.example.test', 2526, 'hello')
leave('OTHER-NAME', 'other.example.test', 2525, 'hello')
`;

test('a program speaks its own protocol to the host of a tcp:// rule, and a placeholder does not get there', async () => {
  await using server = await startMailServer();
  const end = await runDecoy([
    '--quiet', '--workspace', 'none', '--allow', 'tcp://mail.example.test:2525', '--secret', 'API_KEY@api.example.test',
    '--resolve', `mail.example.test:2525:127.0.0.1:${server.port}`, '--', 'python3', '-c', client,
  ], { env: { API_KEY: 'sk-0123456789abcdefghijklmnopqrstuvwxyz' } });
  expect(end.stdout.split('\n').slice(0, 4), end.stderr).toEqual([
    'ALLOWED sent', expect.stringMatching(/^PLACEHOLDER (SMTPServerDisconnected|ConnectionResetError)$/),
    expect.stringMatching(/^OTHER-PORT (OSError|ConnectionRefusedError)$/), 'OTHER-NAME gaierror',
  ]);
  // The control: the first message is there, and so is all of the second but what was kept.
  expect(server.received.join('')).toContain('\r\nhello\r\n');
  expect(server.received.join('').match(/mail from/gi)).toHaveLength(2);
  expect(server.received.join('')).not.toContain('the key is');
  expect(end.report).toMatchObject({
    usage: { network: { requests: 1, hosts: expect.arrayContaining([expect.objectContaining({ host: 'mail.example.test', requests: 1, blocked: 1 })]) } },
    secrets: [{ name: 'API_KEY', refusals: 1 }],
    blocked: expect.arrayContaining([expect.objectContaining({ host: 'mail.example.test', port: 2525, reason: 'placeholder-wrong-host', count: 1 })]),
  });
  expect(end.auditLog).toMatch(/"protocol":"tcp","method":null,"host":"mail\.example\.test","port":2525,"path":null,"decision":"allowed","rule":"tcp:\/\/mail\.example\.test:2525"/);
}, 60_000);
