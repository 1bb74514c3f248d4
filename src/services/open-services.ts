import type { Engine } from '../sandbox/engine.ts';
import { createFilesystem, type MadeFilesystem, type Workspace } from '../sandbox/filesystem.ts';
import { createContainerGroups, type Group } from '../sandbox/group.ts';
import type { ObtainedImage } from '../sandbox/image/obtain-image.ts';
import type { RunLabels } from '../sandbox/labels.ts';
import type { RootLayout } from '../sandbox/exposed-trees.ts';
import type { SandboxRuntime } from '../sandbox/runtime.ts';
import { createSandbox, type IdleSandbox } from '../sandbox/sandbox.ts';
import type { TimeStage } from '../usage/time-stages.ts';
import { describeService, type DescribedService, type ImageCommand } from './describe-service.ts';
import { runService, type RunningService } from './run-service.ts';
import type { ServiceRecord, ServiceRequest } from './service-request.ts';

/** A service whose image the engine has. */
export type FoundService = { request: ServiceRequest; image: ObtainedImage; own: ImageCommand; record: ServiceRecord };

export type ServicesOptions = {
  /** the one Decoy's own containers start from */
  image: string;
  runId: string;
  labels: RunLabels;
  layout: RootLayout;
  runtime: SandboxRuntime;
  workspace: Workspace | null;
  wallSeconds: number;
  gatewayContainerId: string;
  /** what a service's disk starts with */
  layOut(filesystem: { imageLayout: NonNullable<Awaited<ReturnType<typeof createFilesystem>>['imageLayout']>; workspace: Workspace | null }): Promise<Buffer>;
  /** the gateway must be ready before a container is started */
  ready: Promise<void>;
  /** whether somebody listens at a port of the sandbox's network */
  isListening(port: number): Promise<boolean>;
  signal: AbortSignal;
  onWarning(text: string): void;
  timed: TimeStage;
};

export type OpenServices = AsyncDisposable & {
  /** Gives them their commands, side by side, and waits until all are healthy; for when the canary has held. Throws a sentence for the first that is not. */
  start(): Promise<void>;
  /** the last reading; they are ended after it */
  end(): Promise<void>;
  /** rejects when a service's keeper has gone */
  lost: Promise<never>;
};

/**
 * Capabilities of a service whose image starts as root: those with which the images of databases prepare their files and give root up. They hold for its own
 * files and processes. (KILL: without it Decoy's init, which is root there, too, could not end what runs as another user.)
 */
export const SERVICE_CAPABILITIES: readonly string[] = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'KILL', 'SETGID', 'SETUID'];

/** Creates a container for each, on a capped disk of its own; nothing of theirs runs before `start`. */
export async function openServices(engine: Engine, found: readonly FoundService[], options: ServicesOptions): Promise<OpenServices> {
  const { containers, others, dispose } = createContainerGroups();
  try {
    const prepared = await Promise.all(found.map((service) => prepare(engine, service, { ...options, containers, others })));
    const lost = Promise.race(prepared.map(({ made }) => made.keeper.lost));
    lost.catch(() => {});
    let running: RunningService[] = [];
    return {
      lost,
      start: async () => {
        running = await Promise.all(prepared.map((one) => runService(engine, one, options)));
        await Promise.all(running.map((one) => one.healthy));
      },
      end: async () => {
        await Promise.all(running.map((one) => one.end()));
        await containers[Symbol.asyncDispose]();
      },
      [Symbol.asyncDispose]: () => {
        running.forEach((one) => one.abandon());
        return dispose();
      },
    };
  } catch (error) {
    await dispose().catch(() => {});
    throw error;
  }
}

export type PreparedService = FoundService & { made: MadeFilesystem; idle: IdleSandbox; described: DescribedService };

async function prepare(engine: Engine, service: FoundService, options: ServicesOptions & { containers: Group; others: Group }): Promise<PreparedService> {
  const { request, image: serviceImage, own } = service;
  const { containers, others, image, labels, layout, timed } = options;
  const runId = `${options.runId}-${request.name}`;
  const workspace = request.workspace === 'none' ? null : options.workspace;
  const filesystem = await others.add(createFilesystem(engine, {
    image, sandboxImage: serviceImage, programs: [], runId, labels, layout, workspace, volumes: [], user: { uid: 0, gid: 0 },
    timed: (stage, work) => timed(`service ${request.name}: ${stage}`, work),
  }));
  const { imageLayout } = filesystem;
  if (imageLayout === null) throw new Error('a service without an image');
  const described = describeService(request, { own, layout: imageLayout });
  const creating = containers.add(createSandbox(engine, {
    image: serviceImage.id, guestPath: '/decoy/guest', imageVariables: Object.keys(serviceImage.environment), runId, labels, what: 'service', rootCapabilities: SERVICE_CAPABILITIES,
    gatewayContainerId: options.gatewayContainerId, runtime: options.runtime, mounts: filesystem.mounts, user: described.user,
    // Its own clock is only for a Decoy that hangs: it starts before the command's.
    limits: { ...request.limits, wallSeconds: options.wallSeconds + request.healthSeconds + 60 },
  }));
  creating.catch(() => {});
  const made = await filesystem.make({ storageBytes: request.limits.storageBytes, tree: options.layOut({ imageLayout, workspace }) });
  const [created] = await Promise.all([creating, options.ready]);
  const idle = await created.launch();
  made.letGo().catch(() => {});
  return { ...service, made, idle, described };
}
