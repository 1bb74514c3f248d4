/**
 * Parses a file that holds one whole number, as `memory.current` does. Null for a file that is absent (null), empty,
 * or says `max`. https://docs.kernel.org/admin-guide/cgroup-v2.html#format
 */
export function parseSingleValue(text: string | null): number | null {
  const match = /^\s*(\d+)\s*$/.exec(text ?? '');
  return match ? Number(match[1]) : null;
}
