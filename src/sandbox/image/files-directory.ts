import { EngineError } from '../engine.ts';

/** What engines tell of how they keep a container's files (Docker Engine API, ContainerInspect): `Storage` is newer than `GraphDriver`. */
export type DescribedContainer = {
  Id: string;
  GraphDriver?: { Name: string; Data?: Record<string, string> | null };
  Storage?: { RootFS?: { Snapshot?: { Name?: string } } };
};

/**
 * The directory of the engine's host where a container's files are while they are mounted: overlay2, and Podman's overlay, tell it; Docker's
 * containerd image store mounts by the container's ID.
 * @throws EngineError where there is none, so that no view could be laid over the files and no cap hold
 */
export async function filesDirectory({ Id, GraphDriver, Storage }: DescribedContainer, { dockerRoot }: { dockerRoot(): Promise<string> }): Promise<string> {
  const merged = GraphDriver?.Name === 'overlay2' ? GraphDriver.Data?.['MergedDir'] : undefined;
  if (merged) return merged;
  // Podman tells it only once it is mounted.
  const upper = GraphDriver?.Name === 'overlay' ? GraphDriver.Data?.['UpperDir'] : undefined;
  if (upper?.endsWith('/diff')) return `${upper.slice(0, -'diff'.length)}merged`;
  const driver = Storage?.RootFS?.Snapshot?.Name ?? GraphDriver?.Name ?? '';
  if (driver === 'overlayfs') return `${await dockerRoot()}/rootfs/overlayfs/${Id}`;
  throw new EngineError(`the Docker engine's storage driver ${JSON.stringify(driver)} cannot be given a hard cap on the disk of an image: use \`image: runner\`, or an engine with overlay2 (Podman: overlay), or with the containerd image store's overlayfs (docs/images.md)`);
}
