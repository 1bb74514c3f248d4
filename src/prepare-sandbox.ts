import fs from 'node:fs/promises';
import { withCanary } from './canary/with-canary.ts';
import type { Host, RunConfig } from './config.ts';
import { describeCommand } from './describe-command.ts';
import { gatewayPolicy } from './gateway-policy.ts';
import type { OpenExposed } from './expose/open-exposed.ts';
import type { layOutTree as LayOutTree } from './lay-out-tree.ts';
import type { Policy } from './policy/policy.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import type { RunEvents } from './run.ts';
import type { Engine } from './sandbox/engine.ts';
import { exposedTrees } from './sandbox/exposed-trees.ts';
import { createFilesystem, type MadeFilesystem, type Workspace } from './sandbox/filesystem.ts';
import { startGateway } from './sandbox/gateway.ts';
import { connectInside } from './sandbox/connect-inside.ts';
import { createContainerGroups, type Group } from './sandbox/group.ts';
import { guestFile } from './sandbox/guest-file.ts';
import type { Patch } from './sandbox/keeper.ts';
import { labelsOf } from './sandbox/labels.ts';
import { shellPrograms } from './sandbox/image/choose-shell.ts';
import type { ObtainedImage } from './sandbox/image/obtain-image.ts';
import { ensureRootImage, GUEST_PATH } from './sandbox/root-image.ts';
import { stageSnapshot, type StagedSnapshot } from './sandbox/snapshot/stage-snapshot.ts';
import type { SandboxRuntime } from './sandbox/runtime.ts';
import { createSandbox, type Sandbox } from './sandbox/sandbox.ts';
import type { Secret } from './secrets/secret.ts';
import { healthPorts } from './services/names.ts';
import type { FoundService, OpenServices, ServicesOptions } from './services/open-services.ts';
import { volumeFolders } from './volumes/volume-folders.ts';
import type { Authority } from './trust/authority.ts';
import type { TimeStage } from './usage/time-stages.ts';

export type SandboxParts = {
  id: string; config: RunConfig; host: Host; image: ObtainedImage | null; runtime: SandboxRuntime; secrets: readonly Secret[]; policy: Policy; runDirectory: string; record(entry: AuditEntry): void; events: RunEvents; services: readonly FoundService[];
  /** where it is aborted, services are not waited for any longer */
  signal: AbortSignal;
  /** the sandbox is there and the canary has held: what follows is not the machine's work, but waiting for services and the command */
  onStarted(): void;
  timed: TimeStage;
};

export type PreparedSandbox = AsyncDisposable & {
  /** gives the sandbox the command */
  start(): Promise<Sandbox>;
  filesystem: MadeFilesystem;
  /** what the host may reach of it, open before the command starts; null: nothing */
  exposed: OpenExposed | null;
  /** how long the start-up canary took, beside everything else */
  canaryMs: number;
  /** rejects when the gateway or the keeper goes while the sandbox runs */
  lost: Promise<never>;
  /** why that happened, if it did, until `windUp` has what it was asked for; else null */
  loss(): Error | null;
  /** For when the command is over, and before `windUp`: the sandbox's file system as it is now, to be kept or not. */
  stageSnapshot(options: { signal: AbortSignal }): Promise<StagedSnapshot>;
  /** For when the command is over: takes its changes off the disk, and the network and the keeper away, while the sandbox ends. */
  windUp(options: { readPatch: false } | { readPatch: true; maxBytes: number; contents: boolean }): Promise<Patch | null>;
};

/** The uid of `user: runner` where Decoy itself runs as root: code that is not trusted gets no root unless asked for. GitHub's own is 1001. */
const UNPRIVILEGED = { uid: 1001, gid: 1001 };

const NO_SERVICES: OpenServices = { start: async () => {}, end: async () => {}, lost: new Promise<never>(() => {}), [Symbol.asyncDispose]: async () => {} };

/**
 * Starts everything the command needs, side by side. Starting containers takes longest, so those that need nothing of the
 * others are under way first, and the host's side, certificates and files are prepared meanwhile.
 */
export async function prepareSandbox(engine: Engine, parts: SandboxParts): Promise<PreparedSandbox> {
  const { id, config, host, timed } = parts;
  const user = sandboxUser(config);
  const layout = exposedTrees({ toolCache: host.toolCache, hidden: host.hidden, user: config.user });
  const labels = labelsOf(id);
  const workspace = await describeWorkspace(config);
  const volumes = config.volumes?.length ? await volumeFolders(volumesDirectory(host), config.volumes) : [];
  const programs = config.command.kind === 'script' ? shellPrograms(config.command) : [];
  const image = await timed('image', () => ensureRootImage(engine, { guestFile: guestFile(host.distDirectory), layout }));
  const common = { image, runId: id, labels };
  let lose!: (error: Error) => void;
  const gatewayLost = new Promise<never>((_, reject) => { lose = reject; });
  gatewayLost.catch(() => {});
  const rehearsed = withCanary(parts);

  const { containers, others, dispose } = createContainerGroups();
  try {
    const starting = containers.add(timed('gateway: creation', () => startGateway(engine, {
      ...common, ...gatewayPolicy(rehearsed), exposedPorts: exposedPorts(config), socketDirectory: parts.runDirectory, onLost: (message) => lose(new Error(message)),
    })));
    const ready = starting.then((gateway) => timed('gateway: start', () => gateway.ready));
    ready.catch(() => {});
    const naming = others.add(timed('volumes', () => createFilesystem(engine, { ...common, sandboxImage: parts.image, programs, layout, workspace, volumes, user, timed })));
    // Loaded only now that the containers are starting: it holds what is heavy to load.
    const load = () => timed('loading the proxy', () => import('./prepare-host-side.ts'));
    const loading = parts.image === null ? null : load();
    loading?.catch(() => {});
    const filesystem = await naming;
    const command = describeCommand(parts, { layout, user, imageLayout: filesystem.imageLayout });
    const gateway = await starting;
    const create = () => timed('sandbox: creation', () => createSandbox(engine, {
      ...common, ...sandboxImage(parts, image), user, gatewayContainerId: gateway.containerId, runtime: parts.runtime, mounts: filesystem.mounts, limits: config.limits,
    }));
    // Podman looks for what is to be mounted when a container is created.
    const early = engine.podmanVersion === null ? containers.add(create()) : null;
    const { prepareHostSide, layOutTree, placedFiles } = await (loading ?? load());
    const hostSide = others.add(timed('authority and proxy', () => prepareHostSide(rehearsed)));
    const tree = hostSide.then(({ authority }) => timed('files', () => layOutTree({ config, authority, user, layout, workspace, imageLayout: filesystem.imageLayout })));
    const making = filesystem.make({ storageBytes: config.limits.storageBytes, tree });
    const creating = early ?? containers.add(making.then(create));
    const serving = containers.add(prepareServices(engine, parts, { ...common, layout, workspace, layOutTree, gatewayContainerId: gateway.containerId, ready, authority: hostSide.then(({ authority }) => authority) }));
    const exposing = ready.then(() => expose(parts, others));
    const launching = Promise.all([creating, ready, making]).then(([sandbox]) => timed('sandbox: start', () => sandbox.launch()));
    // Beside the start of the sandbox, which is the engine's work: what is in there waits for the command, which it is given after the canary.
    const rehearsal = Promise.all([hostSide, ready, making]).then(([{ rehearse }]) => timed('canary', () => rehearse(gateway.probes)));
    for (const promise of [tree, launching, rehearsal, exposing, serving]) promise.catch(() => {});
    const [made, sandbox, canaryMs, exposed, servicesOpen] = await Promise.all([making, launching, rehearsal, exposing, serving]);
    parts.onStarted();
    // Their code is no more trusted than the command: nothing of it runs before the canary has held.
    if (servicesOpen !== NO_SERVICES) await timed('services', () => servicesOpen.start());
    // Disposal waits for it and tells of a failure; the command need not.
    made.letGo().catch(() => {});
    warnOfLittleSpace(parts, made);
    const lost = Promise.race([gatewayLost, made.keeper.lost, servicesOpen.lost]);
    let loss: Error | null = null;
    let windingDown = false;
    lost.catch((error: Error) => { if (!windingDown) loss = error; });
    return {
      filesystem: made,
      canaryMs,
      lost,
      exposed,
      loss: () => loss,
      start: () => sandbox.start(command),
      stageSnapshot: async ({ signal }) => {
        const { imageLayout, diskVolume } = filesystem;
        if (imageLayout === null) throw new Error('a snapshot was asked for without an image: set `image`');
        const { authority } = await hostSide;
        return timed('snapshot: staging', () => stageSnapshot(engine, { ...common, layout: imageLayout, diskVolume, maxBytes: config.limits.storageBytes, placedFiles: placedFiles(authority), signal }));
      },
      windUp: async (options) => {
        await servicesOpen.end().catch(() => {});
        const networkGone = Promise.all([gateway.end(), exposed?.[Symbol.asyncDispose]()]);
        try {
          return options.readPatch ? await made.keeper.readPatch({ maxBytes: options.maxBytes, contents: options.contents, metacopy: made.metacopy, reader: user }) : null;
        } finally {
          windingDown = true;
          await Promise.allSettled([networkGone, made.keeper[Symbol.asyncDispose]()]);
        }
      },
      [Symbol.asyncDispose]: () => timed('removal', dispose),
    };
  } catch (error) {
    await dispose().catch(() => {});
    throw error;
  }
}

/** Those the host may connect to: for itself, and to see whether a service is up. */
function exposedPorts(config: RunConfig): number[] {
  return [...new Set([...config.expose?.requests.map(({ port }) => port) ?? [], ...healthPorts(config)])];
}

type Surroundings = Pick<ServicesOptions, 'image' | 'runId' | 'labels' | 'layout' | 'workspace' | 'gatewayContainerId' | 'ready'> & { authority: Promise<Authority>; layOutTree: typeof LayOutTree };

/** Loaded only where there are any. Of the workspace they get a view that cannot be written. */
async function prepareServices(engine: Engine, { config, runtime, runDirectory, services, signal, events, timed }: SandboxParts, { authority, layOutTree, workspace, ...surroundings }: Surroundings): Promise<OpenServices> {
  if (services.length === 0) return NO_SERVICES;
  const { openServices } = await import('./services/open-services.ts');
  return openServices(engine, services, {
    ...surroundings, runtime, wallSeconds: config.limits.wallSeconds, signal, timed, onWarning: (text) => events.onWarning(text),
    workspace: workspace === null ? null : { ...workspace, mode: 'read-only' },
    layOut: async (own) => layOutTree({ config: { ...config, volumes: [], command: { kind: 'argv', argv: [] } }, authority: await authority, user: { uid: 0, gid: 0 }, layout: surroundings.layout, ...own }),
    isListening: async (port) => {
      const socket = await connectInside(runDirectory, port);
      socket?.destroy();
      return socket !== null;
    },
  });
}

/** Loaded only where something is exposed. */
async function expose({ config, runDirectory, events }: SandboxParts, group: Group): Promise<OpenExposed | null> {
  if (!config.expose?.requests.length) return null;
  const { openExposed } = await import('./expose/open-exposed.ts');
  const opened = await group.add(openExposed(config.expose, (port) => connectInside(runDirectory, port)));
  events.onExposed?.(opened.exposed);
  return opened;
}

function volumesDirectory({ volumesDirectory: directory }: Host): string {
  if (directory == null) throw new Error('volumes: where they are kept is not known: set HOME, or DECOY_VOLUMES to an absolute path');
  return directory;
}

function sandboxUser({ user }: RunConfig): { uid: number; gid: number } {
  if (user === 'root') return { uid: 0, gid: 0 };
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? UNPRIVILEGED : { uid, gid: process.getgid?.() ?? uid };
}

async function describeWorkspace({ workspace }: RunConfig): Promise<Workspace | null> {
  if (workspace.mode === 'none') return null;
  // What is written to the workspace is written by Decoy, when the sandbox is gone.
  return { mode: workspace.mode === 'read-only' ? 'read-only' : 'copy', path: workspace.path, ownerUid: (await fs.stat(workspace.path)).uid };
}

function warnOfLittleSpace({ config, events }: SandboxParts, { hostFreeBytes }: MadeFilesystem): void {
  if (hostFreeBytes >= config.limits.storageBytes) return;
  events.onWarning(`this machine has ${Math.floor(hostFreeBytes / 2 ** 20)} MiB free, less than the storage cap: lower storage, or the sandbox can fill the disk`);
}

/** What the sandbox's container is created from. An image by its ID: its tag may have moved meanwhile. */
function sandboxImage({ image }: SandboxParts, rootImage: string) {
  if (image === null) return { image: rootImage, guestPath: GUEST_PATH, imageVariables: [] };
  return { image: image.id, guestPath: '/decoy/guest', imageVariables: Object.keys(image.environment) };
}
