import { quote } from '../policy/quote.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Parses `NAME=value` lines: plain variables of the sandbox, not secrets. Any name will do: what is set here stands before what Decoy sets. */
export function parseEnv(lines: readonly string[]): { env: Record<string, string>; problems: string[] } {
  const entries: [name: string, value: string][] = [];
  const problems: string[] = [];
  for (const raw of lines) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const name = equals < 0 ? line : line.slice(0, equals);
    const meant = meantName(line);
    if (equals < 0) problems.push(`env: ${quote(line)} has no value: write ${quote(`${meant ?? 'NAME'}=value`)}`);
    else if (!NAME.test(name)) problems.push(`env: ${quote(name)} is not a variable name: ${meant === null ? 'use letters, digits and _, not starting with a digit' : `write ${quote(`${meant}=value`)}, with nothing before it and no space`}`);
    else if (line.includes('\0')) problems.push(`env: the value of ${quote(name)} holds a NUL byte: remove it`);
    else entries.push([name, line.slice(equals + 1)]);
  }
  // Not by assignment, which for "__proto__" would set nothing and say nothing.
  return { env: Object.fromEntries(entries), problems };
}

/** Of `- NAME: value`, `export NAME=value` and the like; null where no name is plain. */
function meantName(line: string): string | null {
  return /^(?:-\s+)?["']?(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*(?:["']?\s*[:=]|$)/.exec(line)?.[1] ?? null;
}
