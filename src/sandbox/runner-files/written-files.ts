import type { TarEntry } from './pack-tree.ts';

/** The files of /etc that are the same in every sandbox, whatever the runner's say. */
export function writtenFiles(hostNames: readonly string[] = []): TarEntry[] {
  return [
    ...networkFiles(hostNames),
    // No LDAP, no systemd-resolved, no mDNS: names come from the gateway alone.
    file('etc/nsswitch.conf', [
      'passwd: files', 'group: files', 'shadow: files', 'hosts: files dns', 'networks: files',
      'protocols: files', 'services: files', 'ethers: files', 'rpc: files', '',
    ].join('\n')),
    file('etc/gitconfig', GIT_TRUSTS_ALL),
    // A fixed identity: programs that insist on one work, and the runner's own stays unknown. Not all zeros, which systemd refuses.
    file('etc/machine-id', 'dec0dec0dec0dec0dec0dec0dec0dec0\n'),
    file('etc/environment', ''),
    { name: 'etc/mtab', type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: '/proc/self/mounts' },
  ];
}

/** What says how names are found, and what this machine is called. `hostNames`: further names of this network's own address. */
export function networkFiles(hostNames: readonly string[] = []): TarEntry[] {
  return [
    // The runner's would tell its name and network. Some engines mount the hostname they know over the first.
    file('etc/hostname', 'sandbox\n'),
    file('etc/hosts', '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\tsandbox\n'.concat(hostNames.map((name) => `127.0.0.1\t${name}\n`).join(''))),
    // The gateway. No search domains: each would make another name of one that is refused.
    file('etc/resolv.conf', 'nameserver 127.0.0.1\noptions timeout:5 attempts:2\n'),
  ];
}

/** The workspace belongs to another user than the one who runs git. https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory */
export const GIT_TRUSTS_ALL = '[safe]\n\tdirectory = *\n';

function file(name: string, content: string): TarEntry {
  return { name, type: 'file', mode: 0o644, uid: 0, gid: 0, content };
}
