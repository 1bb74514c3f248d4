import { parseParameters } from './parse-content-type.ts';

/**
 * The field a part of multipart/form-data is (RFC 7578), from its header lines, or null where two programs could disagree: no or two
 * dispositions or names, one within another header or a file's name, a name in pieces or extended, escapes, other parameters, folded lines,
 * control characters, content that is encoded or has parts of its own.
 */
export function partName(head: string): string | null {
  const headers = head.split('\r\n').filter((line) => line !== '').map((line) => /^([\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line));
  if (headers.includes(null) || /[^\t\x20-\x7e\x80-\xff]/.test(head.replaceAll('\r\n', ''))) return null;
  const valuesOf = (name: string): string[] => headers.flatMap((match) => (match![1]!.toLowerCase() === name ? [match![2]!] : []));
  const encodings = valuesOf('content-transfer-encoding').map((value) => value.toLowerCase());
  if (encodings.some((encoding) => !['7bit', '8bit', 'binary'].includes(encoding))) return null;
  if (valuesOf('content-type').some((type) => /^multipart\//i.test(type))) return null;
  // Rack takes the first that looks like one, wherever in a line that begins.
  if (head.match(/content-disposition/gi)?.length !== 1) return null;
  const [disposition] = valuesOf('content-disposition');
  const [, text] = /^form-data[ \t]*(;.*)$/i.exec(disposition ?? '') ?? [];
  if (text === undefined) return null;
  const parameters = parseParameters(text, { isStrict: true });
  if (parameters === null || text.includes('\\') || [...parameters.keys()].some((key) => !known.has(key))) return null;
  if (['filename', 'filename*'].some((key) => /name\s*\*?[0-9]*\*?\s*=/i.test(parameters.get(key) ?? ''))) return null;
  const name = parameters.get('name');
  // Browsers write a quote as %22 (HTML, section 4.10.21.8), others as \"; what the server makes of either is its own affair.
  return name === undefined || name.includes('%') ? null : name;
}

/** A name in pieces is `name*0=` (RFC 2231), which some servers put together and others do not know. */
const known: ReadonlySet<string> = new Set(['name', 'filename', 'filename*']);
