import { isRecord } from '../is-record.ts';

export type RegisteredRuntime = { name: string; path: string; runtimeArgs: readonly string[] };

/** `isThere`: it has an entry of that name. */
export type Merged = { ok: true; text: string } | { ok: false; isThere: boolean; problem: string };

/** Adds a runtime to the text of a daemon.json, or null where there is none; everything else stays. What cannot be read is left alone. */
export function mergeDaemonConfiguration(text: string | null, { name, path, runtimeArgs }: RegisteredRuntime): Merged {
  const parsed = text === null || text.trim() === '' ? {} : parse(text);
  if (!isRecord(parsed)) return { ok: false, isThere: false, problem: 'it is not a JSON object' };
  const { runtimes = {} } = parsed;
  if (!isRecord(runtimes)) return { ok: false, isThere: false, problem: 'its `runtimes` is not an object' };
  if (Object.hasOwn(runtimes, name)) return { ok: false, isThere: true, problem: `it has a runtime \`${name}\` that the engine did not take up` };
  const merged = { ...parsed, runtimes: { ...runtimes, [name]: { path, runtimeArgs } } };
  return { ok: true, text: `${JSON.stringify(merged, null, indentation(text ?? ''))}\n` };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function indentation(text: string): string {
  return /^\{\s*\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
}
