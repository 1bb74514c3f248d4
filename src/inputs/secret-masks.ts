/** Shorter lines, such as a bracket of a JSON key, would mask half of every later log. */
const LEAST_CHARACTERS = 4;

/**
 * What the runner must mask: the accepted values, and whatever else in the `secrets` input may be one, for a value that was refused
 * is no less secret. Line by line, as the runner masks a log line by line.
 */
export function secretMasks(text: string, accepted: readonly { value: string }[]): string[] {
  const candidates = text.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => !line.startsWith('#')).flatMap((line) => {
    if (/^[^@=<\s]+(@[^=<]*)?<</.test(line)) return [];
    const [, value] = /^[^@=<\s]+(?:@[^=<]*)?=(.*)$/.exec(line) ?? [];
    return value === undefined ? [line] : [line, value.trim()];
  });
  return [...new Set([...accepted.map(({ value }) => value), ...candidates])].filter((mask) => mask.length >= LEAST_CHARACTERS);
}
