import type Docker from 'dockerode';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, type Engine } from './engine.ts';
import { explainMissingSource } from './shared-files.ts';

/** A created container that is removed, by force, when disposed of; once, however often that is asked for. */
export type OwnedContainer = AsyncDisposable & { id: string; container: Docker.Container; closeWithIt(stream: Duplex): void };

/**
 * Creates a container. Its labels make it findable before it is started, whatever happens to this process.
 * @throws EngineError naming what was to be created
 */
export async function createContainer(engine: Engine, options: { what: string; spec: Docker.ContainerCreateOptions }): Promise<OwnedContainer> {
  const container = await engine.docker.createContainer(options.spec).catch((error: unknown) => {
    throw failure(`cannot create the ${options.what} container`, error);
  });
  const streams: Duplex[] = [];
  const remove = async () => {
    try {
      await removeContainer(container).catch((error: unknown) => {
        throw new EngineError(`cannot remove the ${options.what} container: ${engineMessage(error)}; run \`decoy clean\``);
      });
    } finally {
      streams.forEach((stream) => stream.destroy());
    }
  };
  let removal: Promise<void> | undefined;
  return {
    id: container.id,
    container,
    closeWithIt: (stream) => void streams.push(stream),
    [Symbol.asyncDispose]: () => (removal ??= remove()),
  };
}

export async function startContainer(owned: OwnedContainer, what: string): Promise<void> {
  await owned.container.start().catch((error: unknown) => {
    throw failure(`cannot start the ${what} container`, error);
  });
}

function failure(what: string, error: unknown): EngineError {
  const message = engineMessage(error);
  return explainMissingSource(message) ?? new EngineError(`${what}: ${message}`);
}

/** Removes a container by force; one that is gone, or being removed by someone else, is no error. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  const untilMs = performance.now() + DEPENDENTS_MS;
  for (;;) {
    const error = await container.remove({ force: true, v: true }).then(() => null, (reason: Error) => reason);
    if (error === null || isGone(error)) return;
    // Podman keeps the gateway for as long as there are containers in its network; those are removed beside it.
    if (!engineMessage(error).includes('has dependent containers') || performance.now() > untilMs) throw error;
    await container.kill().catch(() => {});
    await sleep(100);
  }
}

const DEPENDENTS_MS = 20_000;

/** The engine's own words for a failure: its JSON message where there is one. */
export function engineMessage(error: unknown): string {
  const json = (error as { json?: { message?: string } }).json;
  return json?.message ?? (error as Error).message;
}

/** 404: no such object; 409 on removal: "removal already in progress". */
export function isGone(error: unknown): boolean {
  const { statusCode } = error as { statusCode?: number };
  return statusCode === 404 || (statusCode === 409 && engineMessage(error).includes('already in progress'));
}
