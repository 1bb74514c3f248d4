import { hasUrlCredentials } from './private-content.ts';

/**
 * A file of /etc/apt as the sandbox may see it, or null for not at all: sources without those whose address has a
 * password in it, settings without proxies (the runner's are out of the sandbox's reach, and often have a password).
 */
export function cleanAptFile(name: string, content: Buffer): Buffer | null {
  const text = content.toString('latin1');
  if (name.endsWith('.sources')) return fromText(cleanStanzas(text));
  if (/sources\.list$|\.list$/.test(name)) return fromText(cleanLines(text));
  // An apt.conf with a line cut out of a block may no longer parse, which stops apt: all or nothing.
  if (/apt\.conf(\.d\/|$)/.test(name) && /proxy|password/i.test(withoutComments(text))) return null;
  return hasUrlCredentials(text) ? null : content;
}

/** One-line style: https://manpages.debian.org/sources.list.5 */
function cleanLines(text: string): string {
  return text.split('\n').filter((line) => !hasUrlCredentials(line)).join('\n');
}

/** deb822 style: a stanza without its URIs is an error, so it goes as a whole. */
function cleanStanzas(text: string): string {
  return text.split(/\n[ \t]*\n/).filter((stanza) => !hasUrlCredentials(stanza)).join('\n\n');
}

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|#).*$/gm, '');
}

function fromText(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
