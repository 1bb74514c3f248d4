export type MultipartPart = { head: string; content: string };

/** The parts of a whole body in latin1, or null where it is not the strict form that the reader takes: there the boundary is what a body is split at. */
export function multipartParts(body: Buffer, boundary: string): MultipartPart[] | null {
  const pieces = body.toString('latin1').split(`--${boundary}`);
  const [start, end] = [pieces.shift()!, pieces.pop()];
  if (end === undefined || !/^(\r\n)?$/.test(start) || !/^--(\r\n)*$/.test(end)) return null;
  const parts = pieces.map((piece) => /^\r\n(\r\n|(?!\r\n)[^]*?\r\n\r\n)([^]*)\r\n$/.exec(piece));
  if (parts.some((part) => part === null || part[1]!.length > 8192 + '\r\n\r\n'.length)) return null;
  return parts.map((part) => ({ head: part![1]!, content: part![2]! }));
}

/** Whether a program may take the part for the field, however careless it is. */
export function mayBeNamed({ head }: MultipartPart, name: string): boolean {
  return namesIn(head).includes(name);
}

/** Whether every program takes the part for the field, as it is written in the plainest way or has no other name. */
export function isPlainlyNamed({ head }: MultipartPart, name: string): boolean {
  return head.toLowerCase() === `content-disposition: form-data; name="${name}"\r\n\r\n`;
}

/** Whether a program may take the part for another field than `name`. */
export function hasOtherName({ head }: MultipartPart, name: string): boolean {
  return namesIn(head).some((one) => one !== name);
}

/** Of every disposition, in whatever line. */
function namesIn(head: string): string[] {
  const dispositions = head.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r\n|\r|\n/).filter((line) => /^\s*content-disposition\s*:/i.test(line));
  return dispositions.flatMap((line) => [...line.matchAll(/;\s*([\w*-]+)\s*=\s*("(?:[^"\\]|\\[^])*"|[^;]*)/g)])
    .flatMap(([, parameter, value]) => (parameter!.toLowerCase() === 'name' ? [value!.trim().replaceAll(/^"|"$/g, '')] : []));
}
