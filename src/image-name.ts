import type { RunConfig } from './config.ts';

/** As reports name it. */
export function imageName({ image, snapshotFrom }: Pick<RunConfig, 'image'> & { snapshotFrom?: RunConfig['snapshotFrom'] | undefined }): string {
  if (snapshotFrom != null) return `snapshot ${snapshotFrom.name}`;
  return image === 'runner' ? 'runner' : image.text;
}

