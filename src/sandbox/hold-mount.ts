import http from 'node:http';
import { engineMessage } from './container.ts';
import { EngineError, type Engine } from './engine.ts';
import { packTree } from './runner-files/pack-tree.ts';

export type HoldOptions = {
  containerId: string;
  /** of the container: where the marker is put */
  directory: string;
  /** name of the file whose appearance shows that everything is mounted */
  marker: string;
  /** for messages: what is mounted */
  what: string;
};

export type Hold = {
  /** Resolves when the engine reads the archive: it has mounted everything by then. */
  begun(): Promise<void>;
  failed: Promise<never>;
  /** why the engine ended it by itself, where it did; else null */
  problem(): EngineError | null;
  /** ends the hold; resolves when the engine has taken its mounts down again */
  finish(): Promise<void>;
};

const TAR_BLOCK_BYTES = 512;

/**
 * Has the engine mount the files and the volumes of a container that never ran, and keep them mounted until `finish`. It does so
 * while it unpacks an archive into the container: an unfinished upload therefore holds the mounts, at the cost of one API
 * request instead of one more container start. The engine does not answer questions about that container meanwhile.
 */
export function openHold(engine: Engine, { containerId, directory, marker, what }: HoldOptions): Hold {
  const request = http.request({
    socketPath: engine.socketPath, method: 'PUT', path: `/containers/${containerId}/archive?path=${encodeURIComponent(directory)}`, agent: engine.connections,
    // A Go server says "continue" when its handler first reads the body: https://pkg.go.dev/net/http#Server
    headers: { 'content-type': 'application/x-tar', 'transfer-encoding': 'chunked', expect: '100-continue' },
  });
  const closed = new Promise<void>((resolve) => request.once('close', () => resolve()));
  const begun = new Promise<void>((resolve) => request.once('continue', () => resolve()));
  const failed = new Promise<never>((_, reject) => {
    request.on('error', (error) => reject(new EngineError(`cannot mount ${what}: ${engineMessage(error)}`)));
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new EngineError(`cannot mount ${what}: ${text.trim()}`));
      });
    });
  });
  let problem: EngineError | null = null;
  failed.catch((error: EngineError) => { problem = error; });
  request.write(withoutEndMarker(packTree([{ name: marker, type: 'file', mode: 0o600, uid: 0, gid: 0, content: '1' }])));
  return {
    begun: () => within(Promise.race([begun, failed]), what),
    failed,
    problem: () => problem,
    finish: async () => {
      request.end(Buffer.alloc(2 * TAR_BLOCK_BYTES));
      const timer = setTimeout(() => request.destroy(), 10_000);
      await closed;
      clearTimeout(timer);
    },
  };
}

const BEGIN_MS = 30_000;

/** Something between Decoy and the engine may keep its "continue" to itself. */
async function within(begun: Promise<void>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new EngineError(`cannot mount ${what}: the engine did not say within ${BEGIN_MS / 1000} s that it has; connect to it directly, not through a relay`)), BEGIN_MS);
  });
  try {
    await Promise.race([begun, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** An archive ends with two zero blocks; without them the engine goes on reading. */
function withoutEndMarker(archive: Buffer): Buffer {
  return archive.subarray(0, archive.length - 2 * TAR_BLOCK_BYTES);
}
