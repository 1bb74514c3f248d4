import path from 'node:path';

/** The program that is gateway, keeper and init of a run on this machine. */
export function guestFile(distDirectory: string): string {
  return path.join(distDirectory, `decoy-guest-linux-${process.arch}`);
}
