import fs from 'node:fs/promises';

/**
 * Whom the gateway runs as once it has dropped its privileges: this process's user, who owns the sockets' directory. Where that is
 * root, a user of its own, other than the sandbox's, who is then given the directory and the sockets.
 */
export function gatewayUser(): { uid: number; gid: number } {
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? { uid: 65_532, gid: 65_532 } : { uid, gid: process.getgid?.() ?? uid };
}

/** Lets the gateway use a socket, or enter the directory, that this process made. */
export async function giveToGateway(file: string): Promise<void> {
  const { uid, gid } = gatewayUser();
  if (process.getuid?.() === 0) await fs.chown(file, uid, gid);
}
