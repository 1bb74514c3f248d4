import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { quote } from '../policy/quote.ts';
import type { Exposed } from './expose-request.ts';

/**
 * Writes where the ports are, with their tokens, for this user alone. It appears whole: who waits for the file can read it when it is there.
 * @returns what removes it
 */
export async function writeExposedFile(file: string, exposed: readonly Exposed[]): Promise<() => Promise<void>> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  const content = `${JSON.stringify({ version: 1, exposed: exposed.map(withHeaders) }, null, 2)}\n`;
  try {
    await fs.writeFile(temporary, content, { mode: 0o600, flag: 'wx' });
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw new Error(`expose-file: cannot write ${quote(file)} (${(error as NodeJS.ErrnoException).code}): give the path of a file in a directory that this user may write`);
  }
  return async () => {
    // Another run's by now, where both were given one path.
    const found = await fs.readFile(file, 'utf8').catch(() => null);
    if (found === content) await fs.rm(file, { force: true });
  };
}

/** What a client sends, ready for a program that takes headers by name. */
function withHeaders(exposed: Exposed): Exposed & { headers?: Record<string, string> } {
  return 'token' in exposed ? { ...exposed, headers: { authorization: `Bearer ${exposed.token}` } } : exposed;
}
