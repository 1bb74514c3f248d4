import fs from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isInstalled, runProgram, type ProgramResult } from './run-program.ts';
import { startTlsServer, type TlsServer } from './tls-server.ts';

const host = 'api.example.test';
const clients = path.join(import.meta.dirname, 'clients');

let server: TlsServer;
beforeAll(async () => {
  server = await startTlsServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Client = { name: string; program: string; run(env: NodeJS.ProcessEnv): Promise<ProgramResult> };

const table: Client[] = [
  {
    name: 'curl', program: 'curl',
    run: (env) => runProgram('curl', ['-sS', '--resolve', `${host}:${server.port}:127.0.0.1`, `https://${host}:${server.port}/`], { env }),
  },
  {
    name: 'OpenSSL, strict', program: 'openssl',
    run: async (env) => {
      const result = await runProgram('openssl', ['s_client', '-connect', `127.0.0.1:${server.port}`, '-servername', host,
        '-verify_hostname', host, '-x509_strict', '-verify_return_error', '-brief'], { env });
      return { ...result, output: result.output.replace('Verification: OK', 'trusted') };
    },
  },
  { name: 'Python, strict', program: 'python3', run: (env) => runProgram('python3', [path.join(clients, 'client.py'), host, `${server.port}`], { env }) },
  { name: 'Node', program: 'node', run: (env) => runProgram('node', [path.join(clients, 'client.mjs'), host, `${server.port}`], { env }) },
  { name: 'Go', program: 'go', run: (env) => runProgram('go', ['run', path.join(clients, 'client.go'), host, `${server.port}`], { env }) },
  { name: 'Java', program: 'java', run: (env) => runJava('java', { env }) },
  { name: 'git', program: 'git', run: async (env) => {
    const git = await runProgram('git', ['-c', `http.curloptResolve=${host}:${server.port}:127.0.0.1`, 'ls-remote', `https://${host}:${server.port}/x.git`], { env });
    // To git the answer is a list without references: nothing printed, and success only past the handshake.
    return git.exitCode === 0 ? { ...git, output: 'trusted' } : git;
  } },
];

async function runJava(java: string, options: { env: NodeJS.ProcessEnv; settings?: string[] }): Promise<ProgramResult> {
  const hosts = path.join(server.folder, 'hosts');
  await fs.writeFile(hosts, `127.0.0.1 ${host}\n`);
  return runProgram(java, [`-Djdk.net.hosts.file=${hosts}`, ...(options.settings ?? []), path.join(clients, 'Client.java'), host, `${server.port}`], { env: options.env });
}

for (const client of table) {
  describe.skipIf(!isInstalled(client.program))(client.name, () => {
    test('trusts a leaf of the authority with the sandbox\'s environment', { timeout: 60_000 }, async () => {
      const result = await client.run(server.trusting);
      expect(result.output).toContain('trusted');
      expect(result.exitCode).toBe(0);
    });
    test('does not without it', { timeout: 60_000 }, async () => {
      const result = await client.run(server.untrusting);
      expect(result.output).not.toContain('trusted');
      expect(result.exitCode).not.toBe(0);
    });
  });
}

describe.skipIf(!isInstalled('keytool'))('the trust store', () => {
  test.each([['no password', []], ['the usual password', ['-storepass', 'changeit']], ['another password', ['-storepass', 'whatever']]])(
    'keytool lists every root with %s', { timeout: 60_000 }, async (_name, password) => {
      const store = path.join(server.folder, 'truststore.p12');
      const result = await runProgram('keytool', ['-list', '-keystore', store, '-storetype', 'PKCS12', ...password]);
      const roots = (await fs.readFile(server.bundle, 'utf8')).match(/BEGIN CERTIFICATE/g)!.length;
      expect(result.output.match(/trustedCertEntry/g)).toHaveLength(roots);
    });

  test('HttpClient reads it with a password too', { timeout: 60_000 }, async () => {
    const settings = ['-Djavax.net.ssl.trustStorePassword=changeit'];
    expect((await runJava('java', { env: server.trusting, settings })).output).toContain('trusted');
  });

  test('a JDK reads it in the place of its own cacerts, without any setting of a type', { timeout: 60_000 }, async () => {
    const settings = [`-Djavax.net.ssl.trustStore=${path.join(server.folder, 'truststore.p12')}`];
    expect((await runJava('java', { env: server.untrusting, settings })).output).toContain('trusted');
  });

  const newest = '/usr/lib/jvm/temurin-25-jdk-amd64/bin/java';
  test.skipIf(!existsSync(newest))('Java 25 reads it', { timeout: 60_000 }, async () => {
    expect((await runJava(newest, { env: server.trusting })).output).toContain('trusted');
  });
});
