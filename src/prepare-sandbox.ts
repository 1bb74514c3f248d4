import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Host, RunConfig } from './config.ts';
import { normaliseHost } from './policy/normalise-host.ts';
import type { HostSide } from './prepare-host-side.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import type { RunEvents } from './run.ts';
import type { Engine } from './sandbox/engine.ts';
import { sandboxEnvironment } from './sandbox/environment.ts';
import { exposedTrees } from './sandbox/exposed-trees.ts';
import { prepareFilesystem, type Filesystem, type Workspace } from './sandbox/filesystem.ts';
import { startGateway, type GatewayOptions } from './sandbox/gateway.ts';
import type { Patch } from './sandbox/keeper.ts';
import { labelsOf } from './sandbox/labels.ts';
import { ensureRootImage } from './sandbox/root-image.ts';
import { userHome, userName } from './sandbox/runner-files/accounts.ts';
import { arrangeTree } from './sandbox/runner-files/arrange-tree.ts';
import { collectEtc } from './sandbox/runner-files/collect-etc.ts';
import { hiddenEntries } from './sandbox/runner-files/hidden-entries.ts';
import { sandboxTree } from './sandbox/runner-files/sandbox-tree.ts';
import { workspaceMasks } from './sandbox/runner-files/workspace-masks.ts';
import { startSandbox, type Sandbox } from './sandbox/sandbox.ts';
import type { Secret } from './secrets/secret.ts';
import { trustEnvironment } from './trust/environment.ts';
import { buildTrustStore } from './trust/pkcs12.ts';
import { readSystemRoots } from './trust/system-roots.ts';
import { buildTrustBundle } from './trust/trust-bundle.ts';
import { trustFiles } from './trust/trust-files.ts';
import { nameEntry, refusalEntry } from './gateway-entries.ts';

export type SandboxParts = {
  id: string; config: RunConfig; host: Host; secrets: readonly Secret[]; hostSide: HostSide; record(entry: AuditEntry): void; events: RunEvents;
};

export type PreparedSandbox = AsyncDisposable & {
  /** starts the command */
  start(): Promise<Sandbox>;
  filesystem: Filesystem;
  /** rejects when the gateway goes while the sandbox runs */
  lost: Promise<never>;
  readPatch(options: { maxBytes: number }): Promise<Patch>;
};

/** The uid of `user: runner` where Decoy itself runs as root: code that is not trusted gets no root unless asked for. GitHub's own is 1001. */
const UNPRIVILEGED = { uid: 1001, gid: 1001 };

/** Starts the gateway and lays out the file system, side by side: neither needs the other. */
export async function prepareSandbox(engine: Engine, parts: SandboxParts): Promise<PreparedSandbox> {
  const { id, config, host } = parts;
  const user = sandboxUser(config);
  const layout = exposedTrees({ toolCache: host.toolCache, hidden: host.hidden, user: config.user });
  const labels = labelsOf(id);
  const workspace = await describeWorkspace(config);
  const [image, tree] = await Promise.all([
    ensureRootImage(engine, { guestFile: path.join(host.distDirectory, guestFileName()), layout }),
    layOutTree(parts, { user, layout, workspace }),
  ]);
  let lose!: (error: Error) => void;
  const lost = new Promise<never>((_, reject) => { lose = reject; });
  lost.catch(() => {});
  const started = await Promise.allSettled([
    startGateway(engine, { image, runId: id, labels, ...gatewayPolicy(parts), onLost: (message) => lose(new Error(message)) }),
    prepareFilesystem(engine, { image, runId: id, labels, layout, workspace, user, storageBytes: config.limits.storageBytes, tree }),
  ]);
  const dispose = async () => {
    const results = await Promise.allSettled(started.map((result) => (result.status === 'fulfilled' ? result.value[Symbol.asyncDispose]() : null)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  };
  const [gateway, filesystem] = started;
  if (gateway.status === 'rejected' || filesystem.status === 'rejected') {
    await dispose().catch(() => {});
    throw gateway.status === 'rejected' ? gateway.reason : (filesystem as PromiseRejectedResult).reason;
  }
  if (filesystem.value.hostFreeBytes < config.limits.storageBytes) {
    parts.events.onWarning(`this machine has ${Math.floor(filesystem.value.hostFreeBytes / 2 ** 20)} MiB free, less than the storage cap: lower storage, or the sandbox can fill the disk`);
  }
  return {
    filesystem: filesystem.value,
    lost,
    start: async () => {
      const sandbox = await startSandbox(engine, {
        image, runId: id, labels, user, gatewayContainerId: gateway.value.containerId, mounts: filesystem.value.mounts, limits: config.limits,
        command: await describeCommand(parts, { layout, user }), token: randomBytes(16).toString('hex'),
      });
      await filesystem.value.letGo();
      return sandbox;
    },
    readPatch: ({ maxBytes }) => filesystem.value.keeper.readPatch({ maxBytes, metacopy: filesystem.value.metacopy }),
    [Symbol.asyncDispose]: dispose,
  };
}

function sandboxUser({ user }: RunConfig): { uid: number; gid: number } {
  if (user === 'root') return { uid: 0, gid: 0 };
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? UNPRIVILEGED : { uid, gid: process.getgid?.() ?? uid };
}

function guestFileName(): string {
  return `decoy-guest-linux-${process.arch}`;
}

async function describeWorkspace({ workspace }: RunConfig): Promise<Workspace | null> {
  if (workspace.mode === 'none') return null;
  return { mode: workspace.mode, path: workspace.path, ownerUid: (await fs.stat(workspace.path)).uid };
}

type Layout = { user: { uid: number; gid: number }; layout: ReturnType<typeof exposedTrees>; workspace: Workspace | null };

async function layOutTree({ config, hostSide }: SandboxParts, { user, layout, workspace }: Layout) {
  const authorityPem = hostSide.authority.certificatePem;
  const [systemRootsPem, etc, masks] = await Promise.all([
    readSystemRoots(), collectEtc({ user }), workspace === null ? [] : workspaceMasks(workspace.path, user),
  ]);
  const bundlePem = buildTrustBundle({ systemRootsPem, authorityPem });
  const trust = { authorityPem, bundlePem, trustStore: buildTrustStore(splitPem(bundlePem)) };
  const overlays: { name: string; owner?: { uid: number; gid: number; mode: number } }[] = layout.trees.map(({ name }) => ({ name }));
  if (workspace !== null) overlays.push({ name: 'workspace', owner: { ...user, mode: (await fs.stat(workspace.path)).mode & 0o777 | 0o700 } });
  const tree = sandboxTree({
    user, etc, overlays, trust, trustFiles: trustFiles(trust), ...(config.command.kind === 'script' ? { script: config.command.text } : {}),
  });
  return arrangeTree([...tree, ...hiddenEntries(layout.trees), ...masks]);
}

function splitPem(bundle: string): string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function gatewayPolicy({ hostSide, record }: SandboxParts): Pick<GatewayOptions, 'socketDirectory' | 'ports' | 'addresses' | 'judgeName' | 'onRefusal'> {
  let number = 0;
  return {
    socketDirectory: hostSide.socketDirectory,
    ports: hostSide.policy.ports,
    addresses: hostSide.policy.addresses,
    judgeName: (question) => {
      const host = normaliseHost(question.name);
      const allowed = host !== null && hostSide.policy.couldAllow(host);
      record(nameEntry({ id: -(number += 1), question, host, allowed }));
      return allowed;
    },
    onRefusal: (refusal) => record(refusalEntry({ id: -(number += 1), refusal })),
  };
}

async function describeCommand({ config, host, secrets }: SandboxParts, { layout, user }: Pick<Layout, 'layout' | 'user'>) {
  const { command, workspace } = config;
  return {
    argv: command.kind === 'argv' ? command.argv : command.shell,
    directory: config.workingDirectory ?? (workspace.mode === 'none' ? userHome : workspace.path),
    environment: sandboxEnvironment({
      path: host.path, trees: layout.trees, host: host.environment, env: config.env,
      user: user.uid === 0 ? { name: 'root', home: '/root' } : { name: userName, home: userHome },
      trust: trustEnvironment({ bundle: '/decoy/bundle.pem', authority: '/decoy/ca.pem', trustStore: '/decoy/truststore.p12' }),
      placeholders: Object.fromEntries(secrets.map(({ name, placeholder }) => [name, placeholder])),
    }),
  };
}
