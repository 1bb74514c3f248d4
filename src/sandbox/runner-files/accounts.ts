/** The user a sandbox runs as. */
export type SandboxUser = { uid: number; gid: number };

/** The name and home of that user inside the sandbox, whatever the runner's own is called. */
export const userName = 'runner';
export const userHome = '/home/runner';

/**
 * /etc/passwd for the sandbox: the host's root, nobody and system accounts (their owners own files in /usr, and
 * packages look them up) and the sandbox's user. People's accounts, full names and comments are left out.
 */
export function rewritePasswd(host: string, options: { user: SandboxUser; shell: string }): string {
  const { uid, gid } = options.user;
  const kept = fields(host, 7).filter((account) => isSystem(account[2]!, account[0]!, uid)).map(([name, , id, group, , home, shell]) =>
    [name, 'x', id, group, '', home, shell].join(':'));
  const root = kept.some((line) => line.startsWith('root:')) ? [] : ['root:x:0:0::/root:/bin/sh'];
  return [...root, ...kept, `${userName}:x:${uid}:${gid}::${userHome}:${options.shell}`, ''].join('\n');
}

/** /etc/group likewise. No group has members: Docker would put the user into every group that names it, `docker` or `sudo` first of all. */
export function rewriteGroup(host: string, options: { user: SandboxUser }): string {
  const { gid } = options.user;
  const kept = fields(host, 4).filter((group) => isSystem(group[2]!, group[0]!, gid)).map(([name, , id]) => `${name}:x:${id}:`);
  const root = kept.some((line) => line.startsWith('root:')) ? [] : ['root:x:0:'];
  return [...root, ...kept, `${userName}:x:${gid}:`, ''].join('\n');
}

function fields(text: string, count: number): string[][] {
  return text.split('\n').map((line) => line.split(':')).filter((parts) => parts.length === count && /^[a-z_][\w.-]*\$?$/i.test(parts[0]!));
}

/** System ids end at 999 (login.defs, SYS_UID_MAX); 65534 is nobody and nogroup. One that is the user's own gives way to it, except root. */
function isSystem(id: string, name: string, userId: number): boolean {
  const number = /^\d+$/.test(id) ? Number(id) : NaN;
  if (name === userName) return false;
  return number === 0 || ((number < 1000 || number === 65534) && number !== userId);
}
