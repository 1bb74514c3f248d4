import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rivalSecret, waitForPort, type Rival } from './proxy-rivals.ts';

/** Other projects' proxies that swap placeholders, from their npm packages; fetched for the benchmark alone. */
const packages = ['@anthropic-ai/sandbox-runtime@0.0.83', 'varlock@1.20.0'] as const;

export type RivalSettings = { folder: string; caFile: string };

/** Starts each with a secret for the upstream's host, so that its requests are swapped as Decoy's are. */
export async function startNpmRivals({ folder, caFile }: RivalSettings): Promise<{ rivals: Rival[]; missing: string[] }> {
  const prefix = join(folder, 'npm');
  mkdirSync(prefix);
  try {
    execFileSync('npm', ['install', '--prefix', prefix, '--no-save', '--no-audit', '--no-fund', '--silent', ...packages], { stdio: 'ignore', timeout: 120_000 });
  } catch {
    return { rivals: [], missing: packages.map((name) => `${name} (could not be fetched)`) };
  }
  const rivals: Rival[] = [];
  const missing: string[] = [];
  for (const start of [startSandboxRuntime, startVarlock]) {
    const rival = start({ prefix, folder, caFile });
    if (await waitForPort(rival.proxyPort)) {
      rivals.push({ ...rival, authorization: await rival.findAuthorization() });
    } else {
      rival.process.kill();
      missing.push(`${rival.name} (installed, but did not start)`);
    }
  }
  return { rivals, missing };
}

type Starting = RivalSettings & { prefix: string };
type Started = Omit<Rival, 'authorization'> & { findAuthorization(): string | Promise<string> };

function startSandboxRuntime({ prefix, folder, caFile }: Starting): Started {
  const placeholder = 'placeholder-0123456789abcdefghijklmnopqrst';
  const script = join(folder, 'sandbox-runtime.mjs');
  const modules = join(prefix, 'node_modules/@anthropic-ai/sandbox-runtime/dist/sandbox');
  writeFileSync(script, [
    `import { createHttpProxyServer } from ${JSON.stringify(join(modules, 'http-proxy.js'))};`,
    `import { createMitmCA } from ${JSON.stringify(join(modules, 'mitm-ca.js'))};`,
    'createHttpProxyServer({',
    '  filter: () => true, mitmCA: createMitmCA({}),',
    `  mutateHeaders(headers) { if (headers.authorization) headers.authorization = headers.authorization.replaceAll(${JSON.stringify(placeholder)}, ${JSON.stringify(rivalSecret)}); },`,
    `}).listen(${sandboxRuntimePort}, '127.0.0.1');`, '',
  ].join('\n'));
  return {
    name: 'sandbox-runtime, secret swapped', proxyPort: sandboxRuntimePort, findAuthorization: () => `Bearer ${placeholder}`,
    process: spawn(process.execPath, [script], { stdio: 'ignore', env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile } }),
  };
}

function startVarlock({ prefix, folder, caFile }: Starting): Started {
  const home = join(folder, 'varlock');
  mkdirSync(home);
  writeFileSync(join(home, '.env.schema'), [
    '# @defaultSensitive=false', '# @proxyConfig={egress="permissive"}', '# ---', '# @sensitive @proxy(domain="localhost")', `API_KEY=${rivalSecret}`, '',
  ].join('\n'));
  const program = join(prefix, 'node_modules/varlock/bin/cli.js');
  const environment = { ...process.env, NODE_EXTRA_CA_CERTS: caFile };
  return {
    name: 'varlock, swapped and scrubbed', proxyPort: varlockPort,
    process: spawn(process.execPath, [program, 'proxy', 'start', '--port', String(varlockPort), '--cert-dir', join(home, 'certificates')], { cwd: home, stdio: 'ignore', env: environment }),
    findAuthorization: () => {
      const shown = execFileSync(process.execPath, [program, 'proxy', 'env', '--full', '--format', 'json'], { cwd: home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: environment });
      return `Bearer ${(JSON.parse(shown) as { API_KEY: string }).API_KEY}`;
    },
  };
}

const sandboxRuntimePort = 31_283;
const varlockPort = 31_284;
