/** The first value of a header among names and values in turn, as node:http gives them in `rawHeaders`. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  const index = headers.findIndex((text, position) => position % 2 === 0 && text.toLowerCase() === name);
  return index < 0 ? undefined : headers[index + 1];
}
