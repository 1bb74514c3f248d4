import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type TestContainer = AsyncDisposable & { id: string; pid: number; remove(): Promise<void> };

/** Runs a shell script in a container of the host's own /usr, labelled `decoy-test=1`; disposal removes it and its image. */
export async function startContainer(script: string, flags: readonly string[] = []): Promise<TestContainer> {
  const image = `decoy-test-cgroup:${randomBytes(6).toString('hex')}`;
  await importEmptyImage(image);
  const mounts = ['/usr', '/lib', '/lib64', '/bin'].flatMap((path) => ['-v', `${path}:${path}:ro`]);
  const created = await run('docker', ['run', '-d', '--label', 'decoy-test=1', '--network', 'none', ...flags, ...mounts, image, '/bin/sh', '-c', script]);
  const id = created.stdout.trim();
  const { stdout } = await run('docker', ['inspect', '-f', '{{.State.Pid}}', id]);
  const remove = async (): Promise<void> => {
    await run('docker', ['rm', '-f', id]).catch(() => {});
  };
  return {
    id,
    pid: Number(stdout),
    remove,
    async [Symbol.asyncDispose]() {
      await remove();
      await run('docker', ['rmi', '-f', image]).catch(() => {});
    },
  };
}

/** A tar archive without entries is two blocks of zeros. */
function importEmptyImage(image: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['import', '--change', 'LABEL decoy-test=1', '-', image], { stdio: ['pipe', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`docker import of an empty image ended with ${code}`))));
    child.stdin.end(Buffer.alloc(1024));
  });
}
