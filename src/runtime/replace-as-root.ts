import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import { ownedPrefix } from '../owned-directory.ts';

/**
 * Compares, replaces and has the engine read its file again, under a lock. The file is replaced only if it still is what was read; the new one
 * is complete before it has its name, and has owner and mode of the old one.
 */
const SCRIPT = `
set -eu
file=$1 pid=$2 before=$3 after=$4
exec 9>/run/decoy-engine-configuration.lock
flock -w 30 9
if [ -e "$file" ]; then cmp -s "$file" "$before" || exit 75; elif [ -s "$before" ]; then exit 75; fi
[ "$(cat "/proc/$pid/comm")" = dockerd ]
if [ -s "$after" ]; then
	mkdir -p "$(dirname "$file")"
	new=$(mktemp "$file.XXXXXX")
	if [ -e "$file" ]; then cp -p "$file" "$new"; else chmod 644 "$new"; fi
	cat "$after" >"$new"
	mv -f "$new" "$file"
else
	rm -f "$file"
fi
kill -HUP "$pid"
`;

/** EX_TEMPFAIL of sysexits.h: somebody else was faster. */
const CHANGED = 75;

/** `before` and `after`: the texts, null where there is no file. */
export type Replacement = { file: string; pid: number; before: string | null; after: string | null };

/** The words that make a command root's here: none for root itself, null where this user may not. */
export async function rootPrefix(): Promise<readonly string[] | null> {
  if (process.getuid?.() === 0) return [];
  return (await run(['sudo', '-n', 'true'])).code === 0 ? ['sudo', '-n'] : null;
}

/** @returns false where the file has changed since it was read. @throws Error with the reason where it cannot be replaced */
export async function replaceAsRoot(prefix: readonly string[], { file, pid, before, after }: Replacement): Promise<boolean> {
  const folder = await fs.mkdtemp(ownedPrefix('engine'));
  try {
    await Promise.all([fs.writeFile(`${folder}/before`, before ?? ''), fs.writeFile(`${folder}/after`, after ?? '')]);
    const { code, stderr } = await run([...prefix, 'sh', '-c', SCRIPT, 'sh', file, String(pid), `${folder}/before`, `${folder}/after`]);
    if (code !== 0 && code !== CHANGED) throw new Error(stderr.trim() || `exit code ${code}`);
    return code === 0;
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

function run([program = '', ...args]: readonly string[]): Promise<{ code: number; stderr: string }> {
  return new Promise((done) => {
    execFile(program, args, { timeout: 60_000 }, (error, _, stderr) => done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stderr: stderr || (error?.message ?? '') }));
  });
}
