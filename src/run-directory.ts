import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ownedPrefix } from './owned-directory.ts';
import { quote } from './policy/quote.ts';
import { giveToGateway } from './sandbox/gateway-user.ts';
import { labelsOf } from './sandbox/labels.ts';
import { SOCKET_PATH_BYTES } from './socket-path-bytes.ts';

/** The run's only directory on the host: it holds the sockets between gateway and host, and `owner.json`, which tells clean-up whose it is. */
export type RunDirectory = AsyncDisposable & { path: string };

export async function openRunDirectory(id: string): Promise<RunDirectory> {
  const name = `decoy-${id}`;
  const preferred = path.join(os.tmpdir(), name);
  const directory = Buffer.byteLength(`${preferred}/expose-65535.sock`) <= SOCKET_PATH_BYTES ? preferred : path.join('/tmp', name);
  // It gets its name when it says whose it is: until then, its other name does.
  const begun = await fs.mkdtemp(path.join(path.dirname(directory), path.basename(ownedPrefix('run')))).catch((error: NodeJS.ErrnoException) => { throw unusable(directory, error); });
  try {
    await fs.writeFile(path.join(begun, 'owner.json'), JSON.stringify(labelsOf(id)), { mode: 0o600 });
    await fs.rename(begun, directory);
    await giveToGateway(directory);
  } catch (error) {
    for (const left of [begun, directory]) await fs.rm(left, { recursive: true, force: true });
    throw unusable(directory, error as NodeJS.ErrnoException);
  }
  return { path: directory, [Symbol.asyncDispose]: () => fs.rm(directory, { recursive: true, force: true }) };
}

function unusable(directory: string, { code, message }: NodeJS.ErrnoException): Error {
  const remedy = code === 'ENOSPC' || code === 'EDQUOT' ? 'make room on that disk' : 'make it a directory that this user may write in';
  return new Error(`cannot make the run's directory ${quote(directory)} (${code ?? message}): ${remedy}, or set TMPDIR to another directory`);
}
