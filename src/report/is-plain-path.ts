/** Whether a rule can write the path, or a segment of one, as it stands: no wildcard, space, `[SECRET]` mark, cut or replaced character. */
export function isPlainPath(path: string): boolean {
  return /^[A-Za-z0-9._~!$&'()+,;=:@%/-]+$/.test(path);
}
