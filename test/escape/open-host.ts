import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** What the techniques are after: everything they need to know of it, and nothing that proves they had it. */
export type Targets = {
  mark: string; chatter: string; port: number; address: string; abstract: string; socket: string; file: string; onDevice: string; device: [number, number]; fstype: string;
  folder: string; readOnly: string; workspace: string; pid: number; ipcKey: number; key: string; memoryMebibytes: number; storageMebibytes: number; pids: number;
};

export type EscapeHost = AsyncDisposable & {
  targets: Targets;
  /** only the host's side has it */
  token: string;
  /** everything the host has for the techniques, which are in `workspace` */
  root: string;
  /** what has happened on the host since it was last asked, by technique; undoes it */
  takeEffects(): string[];
};

/** Settings of the host that some techniques change, with the file each is in. */
const SETTINGS: readonly [file: string, techniques: string[]][] = [
  ['/proc/sys/kernel/core_pattern', ['name-for-core-files']], ['/proc/sys/kernel/printk_ratelimit_burst', ['kernel-setting', 'setting-through-pid-1']],
  ['/proc/sys/vm/stat_interval', ['memory-setting']], ['/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs', ['setting-below-sys']],
  ['/proc/sys/kernel/domainname', ['name-of-the-host']],
];

export async function openHost(caps: Pick<Targets, 'memoryMebibytes' | 'storageMebibytes' | 'pids'>): Promise<EscapeHost> {
  const token = `token-${randomBytes(12).toString('hex')}`;
  // In the engine's own directory's file system, where handles and devices lead; nothing of it is shown to a sandbox.
  const root = await mkdtemp('/var/lib/decoy-escape-');
  const [folder, readOnly, workspace] = ['folder', 'read-only', 'workspace'].map((name) => path.join(root, name)) as [string, string, string];
  for (const each of [folder, readOnly, workspace]) mkdirSync(each);
  const file = path.join(folder, 'file');
  writeFileSync(file, token);
  execFileSync('chmod', ['-R', 'a+rwX', root]);
  execFileSync('chown', ['1001:1001', workspace, folder]);
  cpSync(path.join(import.meta.dirname, 'techniques'), path.join(workspace, 'techniques'), { recursive: true });
  const [device, fstype, mountPoint] = execFileSync('findmnt', ['-n', '-o', 'MAJ:MIN,FSTYPE,TARGET', '-T', root], { encoding: 'utf8' }).trim().split(/\s+/) as [string, string, string];
  const mark = `escape-${randomBytes(5).toString('hex')}`;
  const targets: Targets = {
    mark, chatter: `chatter-${randomBytes(6).toString('hex')}`, port: await freePort(), address: ownAddress(), abstract: `${mark}-abstract`, socket: path.join(folder, 'socket'),
    file, onDevice: `/${path.relative(mountPoint, file)}`, device: device.split(':').map(Number) as [number, number], fstype,
    folder, readOnly, workspace, pid: 0, ipcKey: 0x4000_0000 + randomBytes(3).readUIntBE(0, 3), key: `${mark}-key`, ...caps,
  };
  const child = spawn('python3', [path.join(import.meta.dirname, 'host.py'), JSON.stringify(targets), mark], { detached: true, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TOKEN: token } });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said += text; });
  while (!said.includes('ready')) await once(child.stdout, 'data');
  targets.pid = child.pid as number;
  const settings = SETTINGS.filter(([name]) => existsSync(name)).map(([name, techniques]) => ({ name, techniques, before: readFileSync(name, 'utf8') }));
  const plants: [string, string][] = [[`${folder}/planted-plainly`, 'file-in-a-folder-of-the-host'], [`${readOnly}/planted-remount`, 'remount-of-what-is-read-only'], [`${workspace}/planted-workspace`, 'file-in-the-workspace'], [`${workspace}/planted-program`, 'set-user-id-program']];
  const takeEffects = () => {
    const changed = settings.filter(({ name, before }) => readFileSync(name, 'utf8') !== before);
    for (const { name, before } of changed) writeFileSync(name, before);
    const planted = plants.filter(([name]) => existsSync(name));
    for (const [name] of planted) rmSync(name);
    const signalled = said.includes('signalled');
    said = '';
    return [
      ...changed.flatMap(({ techniques }) => techniques), ...planted.map(([, name]) => name), ...(signalled ? ['signal-to-a-host-process', 'signal-to-everybody'] : []),
      ...(removeGroups('/sys/fs/cgroup', mark) ? ['group-below-the-own-one', 'mounted-version-1', 'mounted-version-2'] : []),
    ];
  };
  return {
    targets, token, root, takeEffects,
    [Symbol.asyncDispose]: async () => {
      takeEffects();
      child.kill('SIGTERM');
      await once(child, 'close');
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function removeGroups(top: string, mark: string): boolean {
  let found = false;
  for (const name of readdirSync(top)) {
    const each = path.join(top, name);
    if (!statSync(each, { throwIfNoEntry: false })?.isDirectory()) continue;
    if (removeGroups(each, mark)) found = true;
    if (name !== mark) continue;
    found = true;
    rmdirSync(each);
  }
  return found;
}

function ownAddress(): string {
  const addresses = Object.values(os.networkInterfaces()).flatMap((each) => each ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal);
  return addresses[0]?.address ?? '127.0.0.2';
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
