import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { footprint } from './support/footprint.ts';
import { runDecoy } from './support/run-decoy.ts';

/** As the images of databases do: started as root, it prepares the directory of its data, gives root up and runs itself again. */
const entrypoint = `#!/bin/sh
set -e
if [ "$(id -u)" = 0 ]; then
  find /data ! -user redis -exec chown redis {} +
  exec setpriv --reuid=redis --regid=redis --clear-groups "$0" "$@"
fi
echo "serving as $(id -un)"
exec "$@"
`;

let folder: string;
const reference = `decoy-test-${randomBytes(6).toString('hex')}:1`;
// From Debian's packages, with their own scripts.
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'database-'));
  writeFileSync(path.join(folder, 'entrypoint'), entrypoint, { mode: 0o755 });
  execFileSync('mmdebstrap', ['--quiet', '--variant=essential', '--include=redis-server', `--customize-hook=upload ${folder}/entrypoint /usr/local/bin/entrypoint`, '--customize-hook=chmod 755 "$1/usr/local/bin/entrypoint"; mkdir "$1/data"', 'bookworm', path.join(folder, 'image.tar')], { stdio: 'pipe' });
  execFileSync('docker', ['import', '--change', 'VOLUME /data', '--change', 'WORKDIR /data', '--change', 'ENTRYPOINT ["entrypoint"]', '--change', 'CMD ["redis-server"]', '--change', 'EXPOSE 6379', path.join(folder, 'image.tar'), reference], { stdio: 'pipe' });
}, 300_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await docker(['rmi', '-f', reference]);
}, 60_000);

const client = `
import socket
connection = socket.create_connection(('cache', 6379))
lines = connection.makefile('rwb')
def ask(*words):
    lines.write(b'*%d\\r\\n' % len(words) + b''.join(b'$%d\\r\\n%s\\r\\n' % (len(word), word) for word in words)); lines.flush()
    head = lines.readline().strip()
    return lines.read(int(head[1:]) + 2)[:-2] if head[:1] == b'$' else head
print(ask(b'SET', b'greeting', b'hello'), ask(b'GET', b'greeting'), ask(b'SAVE'))
`;

test('Redis starts as root, gives root up, keeps its data on its own disk, and answers the sandbox by its name', async () => {
  const services = path.join(folder, 'services.yml');
  const log = path.join(folder, 'services.log');
  writeFileSync(services, `cache:\n  image: ${reference}\n  health-command: redis-cli ping | grep PONG\n  command: redis-server --maxmemory 32mb\n  memory: 128m\n  storage: 128m\n`);
  const end = await runDecoy(['--services', services, '--service-log', log, '--workspace', 'none', '--', 'python3', '-c', client]);
  const printed = readFileSync(log, 'utf8');
  expect(end, end.stderr + printed).toMatchObject({ exitCode: 0, stdout: "b'+OK' b'hello' b'+OK'\n", report: { conclusion: 'success', services: [{ name: 'cache', image: reference, exitCode: null }] } });
  expect(printed).toContain('cache | serving as redis\n');
  expect(printed).toContain('Ready to accept connections');
  expect(end.report!.services![0]!.usage!.storagePeakBytes).toBeGreaterThan(0);
  expect(await footprint(end.report!.id)).toEqual([]);
}, 90_000);
