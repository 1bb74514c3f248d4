import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../engine.ts';
import { DOCKER_HUB } from './parse-reference.ts';

/** What the engine takes as X-Registry-Auth (Docker Engine API, Authentication). */
export type RegistryLogin = { username: string; password: string; serveraddress: string } | { identitytoken: string; serveraddress: string };

/** Where `docker login` of this user keeps its logins. */
export type LoginOptions = { registry: string; configDirectory: string; signal: AbortSignal };

type DockerConfig = {
  auths?: Record<string, { auth?: string; username?: string; password?: string; identitytoken?: string }>;
  credsStore?: string;
  credHelpers?: Record<string, string>;
};

/** Docker Hub's address in Docker's own configuration. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const HELPER_MS = 60_000;

/**
 * The login the Docker command line would use for a registry, or null where there is none.
 * @throws EngineError where the configuration cannot be read or a credential helper fails; it tells nothing of what they hold
 */
export async function readRegistryLogin({ registry, configDirectory, signal }: LoginOptions): Promise<RegistryLogin | null> {
  const config = await readConfig(path.join(configDirectory, 'config.json'));
  const key = registry === DOCKER_HUB ? DOCKER_HUB_KEY : registry;
  const helper = config.credHelpers?.[key] ?? config.credHelpers?.[registry] ?? config.credsStore;
  if (helper) {
    const login = await askHelper(helper, { serveraddress: key, signal });
    if (login !== null) return login;
  }
  const found = Object.entries(config.auths ?? {}).find(([name]) => name === key) ?? Object.entries(config.auths ?? {}).find(([name]) => hostOf(name) === hostOf(key));
  return found === undefined ? null : decode(found[1], { serveraddress: key });
}

async function readConfig(file: string): Promise<DockerConfig> {
  const text = await fs.readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return '{}';
    throw new EngineError(`cannot read the logins of the Docker command line in ${JSON.stringify(file)} (${error.code}): make the file readable, or pull the image first with \`docker pull\``);
  });
  try {
    return JSON.parse(text) as DockerConfig;
  } catch {
    // Not the parser's message: it quotes the text, which holds passwords.
    throw new EngineError(`cannot read the logins of the Docker command line in ${JSON.stringify(file)}: it is not JSON; repair it, or pull the image first with \`docker pull\``);
  }
}

/** `https://registry.example.com/v2/` and the like are keys that old command lines wrote. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').split('/')[0] as string;
}

type Auth = NonNullable<DockerConfig['auths']>[string];

function decode({ auth, username, password, identitytoken }: Auth, { serveraddress }: { serveraddress: string }): RegistryLogin | null {
  if (identitytoken) return { identitytoken, serveraddress };
  const text = auth ? Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '') : `${username ?? ''}:${password ?? ''}`;
  const colon = text.indexOf(':');
  return colon > 0 ? { username: text.slice(0, colon), password: text.slice(colon + 1), serveraddress } : null;
}

type Asking = { serveraddress: string; signal: AbortSignal };

/** The protocol of https://github.com/docker/docker-credential-helpers: `get`, with the server's address on standard input. */
async function askHelper(name: string, { serveraddress, signal }: Asking): Promise<RegistryLogin | null> {
  const program = `docker-credential-${name}`;
  const fault = (why: string) => new EngineError(`the credential helper ${JSON.stringify(program)} ${why}: see that \`docker pull\` works for this user, or pull the image first`);
  if (!/^[\w.-]+$/.test(name)) throw fault('has a name that is not a program\'s');
  const { code, stdout } = await runHelper(program, { serveraddress, signal }).catch((error: NodeJS.ErrnoException) => { throw fault(`cannot be run (${error.code ?? error.name})`); });
  // It says so on standard output, which may hold anything else when it succeeds.
  if (code !== 0 && stdout.includes('credentials not found')) return null;
  if (code !== 0) throw fault(code === null ? `did not answer within ${HELPER_MS / 1000} s` : `failed with exit code ${code}`);
  try {
    const { Username: username, Secret: secret } = JSON.parse(stdout) as { Username: string; Secret: string };
    return username === '<token>' ? { identitytoken: secret, serveraddress } : { username, password: secret, serveraddress };
  } catch {
    throw fault('gave an answer that is not JSON');
  }
}

function runHelper(program: string, { serveraddress, signal }: Asking): Promise<{ code: number | null; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], timeout: HELPER_MS, killSignal: 'SIGKILL', signal });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout }));
    child.stdin.on('error', () => {});
    child.stdin.end(serveraddress);
  });
}
