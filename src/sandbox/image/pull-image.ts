import http from 'node:http';
import { text } from 'node:stream/consumers';
import { EngineError, type Engine } from '../engine.ts';
import { explainPullError } from './explain-pull-error.ts';
import type { ImageReference } from './parse-reference.ts';
import { followPull, type PullEvent, type PullProgress } from './pull-progress.ts';
import { readRegistryLogin, type RegistryLogin } from './registry-login.ts';

export type PullOptions = {
  reference: ImageReference;
  /** directory of the Docker command line's config.json; without it there is no login */
  configDirectory?: string | undefined;
  /** ends the pull; what the engine has downloaded of it is the engine's to keep or drop */
  signal: AbortSignal;
  /** `state`: how far it is, null at the beginning; some four times a second */
  onProgress(task: string, state: string | null): void;
};

const PULL_MINUTES = 10;
const TELL_EVERY_MS = 250;

/**
 * Has the engine pull an image with this user's own login, which goes to the engine alone.
 * @throws EngineError naming the image and what to do; when it takes more than ten minutes, too
 */
export async function pullImage(engine: Engine, { reference, configDirectory, signal, onProgress }: PullOptions): Promise<void> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort();
  }, PULL_MINUTES * 60_000);
  let login: RegistryLogin | null = null;
  try {
    login = configDirectory === undefined ? null : await readRegistryLogin({ registry: reference.registry, configDirectory, signal: stop.signal });
    onProgress(`pulling ${reference.text}`, null);
    await untilPulled(engine, { reference, login, signal: stop.signal, onProgress });
  } catch (error) {
    if (late) throw new EngineError(`pulling ${JSON.stringify(reference.text)} took more than ${PULL_MINUTES} minutes: pull it before, with \`docker pull\``);
    if (error instanceof EngineError) throw error;
    throw new EngineError(explainPullError((error as Error).message, { reference, hasLogin: login !== null }));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

type Pulling = Pick<PullOptions, 'reference' | 'signal' | 'onProgress'> & { login: RegistryLogin | null };

/** The engine's answer ends with the pull; its failure is an event like any other. */
async function untilPulled(engine: Engine, { reference, login, signal, onProgress }: Pulling): Promise<void> {
  const response = await request(engine, { reference, login, signal });
  if (response.statusCode !== 200) throw new Error(messageOf(await text(response)));
  const tell = ({ describe }: PullProgress) => {
    const state = describe();
    if (state !== '') onProgress(`pulling ${reference.text}`, state);
  };
  const progress = followPull();
  let toldMs = 0;
  for await (const line of readLines(response)) {
    const event = JSON.parse(line) as PullEvent & { error?: string };
    if (event.error !== undefined) throw new Error(event.error);
    progress.add(event);
    if (performance.now() - toldMs < TELL_EVERY_MS) continue;
    toldMs = performance.now();
    tell(progress);
  }
  tell(progress);
}

/** Unlike node:readline's, it throws where the connection breaks. */
async function* readLines(stream: NodeJS.ReadableStream): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() as string;
    yield* lines.filter((line) => line.trim() !== '');
  }
}

/** Not by way of dockerode: it prints every request, its headers too, where the environment has DEBUG=*. */
function request(engine: Engine, { reference, login, signal }: Omit<Pulling, 'onProgress'>): Promise<http.IncomingMessage> {
  const query = new URLSearchParams({ fromImage: `${reference.registry}/${reference.repository}`, tag: reference.version });
  // base64url as in RFC 4648, which with its padding is all that older engines read.
  const headers = login === null ? {} : { 'x-registry-auth': Buffer.from(JSON.stringify(login)).toString('base64').replaceAll('+', '-').replaceAll('/', '_') };
  return new Promise((resolve, reject) => {
    http.request({ socketPath: engine.socketPath, method: 'POST', path: `/images/create?${query}`, headers, agent: engine.connections, signal }, resolve).on('error', reject).end();
  });
}

function messageOf(body: string): string {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message);
  } catch {
    return body;
  }
}
