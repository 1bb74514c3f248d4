import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Processes of this very program, each in a role of its own; ended when disposed of. */
export type Roles = Disposable & {
  /** Sends it its settings; `ready` is what it sends first. */
  start<T>(role: string, settings: object): Promise<{ child: ChildProcess; ready: T }>;
};

export function openRoles(): Roles {
  const children: ChildProcess[] = [];
  return {
    async start<T>(role: string, settings: object) {
      const child = fork(process.argv[1]!, [role]);
      children.push(child);
      child.send(settings);
      return { child, ready: (await once(child, 'message'))[0] as T };
    },
    [Symbol.dispose]: () => children.forEach((child) => child.kill()),
  };
}
