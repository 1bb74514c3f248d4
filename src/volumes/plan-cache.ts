import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { mayBeSaved } from './may-be-saved.ts';

export type CachePlan = {
  /** the one file that is cached; the same in every run, as GitHub finds a cache by its path, too */
  archive: string;
  key: string;
  /** what an earlier run's key begins with */
  prefix: string;
  save: boolean;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** How one use of the action finds the volumes of the last one with the same set of names; null where there are none. What is wrong with the lines is the run's to say. */
export function planCache(lines: string, environment: Environment): CachePlan | null {
  const names = lines.split(/\r?\n/).map((line) => line.trim().split(':')[0] as string).filter((name) => /^[a-z0-9]/.test(name));
  if (names.length === 0) return null;
  const digest = createHash('sha256').update(JSON.stringify([...new Set(names)].sort())).digest('hex').slice(0, 16);
  const prefix = `decoy-volumes-1-${process.arch}-${digest}-`;
  const take = (name: string) => environment[name] ?? '';
  return {
    archive: path.join(take('RUNNER_TEMP') || '/tmp', `decoy-volumes-${digest}`, 'volumes.tar'),
    key: `${prefix}${take('GITHUB_RUN_ID')}-${take('GITHUB_RUN_ATTEMPT')}-${randomBytes(6).toString('hex')}`,
    prefix,
    save: mayBeSaved({ event: take('GITHUB_EVENT_NAME'), ref: take('GITHUB_REF') }),
  };
}
