import path from 'node:path';
import type { RunConfig } from '../config.ts';
import type { Conclusion } from '../report/report.ts';
import { packVolumes, unpackVolumes, type ArchiveOptions } from './archive.ts';

export type Carried = {
  /** Packs the volumes where later runs may have them. @returns whether there is something to save */
  pack(conclusion: Conclusion): Promise<boolean>;
};

export type CarryOptions = { config: RunConfig; directory: string | null; environment: Readonly<Record<string, string | undefined>>; onWarning(text: string): void };

/** Brings the volumes of an earlier job to this one, by the archive that action.yml has restored, and back. */
export async function carryVolumes({ config, directory, environment, onWarning }: CarryOptions): Promise<Carried> {
  const archive = environment['DECOY_VOLUMES_ARCHIVE'] ?? '';
  const volumes = config.volumes ?? [];
  if (volumes.length === 0 || directory === null || !path.isAbsolute(archive)) return { pack: async () => false };
  const options: ArchiveOptions = { archive, directory, names: volumes.map(({ name }) => name) };
  await unpackVolumes(options).catch((error: Error) => onWarning(`the volumes of an earlier run could not be unpacked, and are new: ${firstLine(error)}`));
  return {
    pack: async (conclusion) => {
      if (environment['DECOY_VOLUMES_SAVE'] !== 'true' || UNFINISHED.has(conclusion) || volumes.every(({ readOnly }) => readOnly)) return false;
      try {
        await packVolumes(options);
        return true;
      } catch (error) {
        onWarning(`the volumes could not be packed, and are not kept: ${firstLine(error as Error)}`);
        return false;
      }
    },
  };
}

/** Then the sandbox may not have started, and GitHub gives a cancelled step no time. */
const UNFINISHED: ReadonlySet<Conclusion> = new Set(['error', 'cancelled']);

function firstLine({ message }: Error): string {
  return message.split('\n')[0] as string;
}
