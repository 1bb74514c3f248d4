/**
 * Parses the kernel's "flat keyed" file format, `KEY VALUE` lines, into its whole-number entries; anything else is left out.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#format
 */
export function parseFlatKeyed(text: string): ReadonlyMap<string, number> {
  const entries = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(\S+) (\d+)$/.exec(line);
    if (match) entries.set(match[1]!, Number(match[2]));
  }
  return entries;
}
