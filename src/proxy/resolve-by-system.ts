import { lookup } from 'node:dns/promises';

/** Every address that this host's own programs would get, in the resolver's order. */
export async function resolveBySystem(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}
