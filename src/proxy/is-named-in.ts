/**
 * Whether NO_PROXY names a host. There is no standard; this is what curl, Python and Go agree on, and curl where they do not:
 * entries are separated by commas or spaces; `*` is every host; `example.com` and `.example.com` are that name and all below it, and
 * `*.example.com` (Go) only what is below; `example.com:8443` (Go) is that port alone; case and a trailing dot do not matter.
 * Addresses and CIDR ranges name no host here: like curl and Go, Decoy compares them with what was asked for, and an address that is
 * asked for is connected to directly in any case.
 */
export function isNamedIn(noProxy: string, { host, port }: { host: string; port: number }): boolean {
  return noProxy.split(/[,\s]+/).some((entry) => {
    const parts = /^(\*\.|\.)?(.*?)\.?(?::(\d+))?$/.exec(entry.toLowerCase());
    const [, prefix = '', name = '', entryPort] = parts ?? [];
    if (name === '' || (entryPort !== undefined && Number(entryPort) !== port)) return false;
    if (name === '*') return prefix === '';
    return host.endsWith(`.${name}`) || (host === name && prefix !== '*.');
  });
}
