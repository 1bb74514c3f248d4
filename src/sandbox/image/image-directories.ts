import { posix } from 'node:path';
import { EngineError } from '../engine.ts';
import type { ObtainedImage } from './obtain-image.ts';

/** A directory as the image has it. */
export type FoundDirectory = { name: string; mode: number; uid: number; gid: number; empty: boolean };

/** What the keeper saw of an image: all of it is the author's choice. */
export type ImageLook = {
  directories: readonly FoundDirectory[];
  /** names of files and links at its root */
  others: readonly string[];
  volumes: readonly { path: string; kind: 'directory' | 'other' | 'missing'; at: FoundDirectory }[];
  /** of the programs asked for, those there are */
  programs: readonly string[];
  /** of the run's own mount points and the VOLUMEs, those with a link or a file on the way */
  crooked: readonly string[];
  /** contents by name, without a leading slash */
  files: Readonly<Record<string, string>>;
};

/** A directory of the sandbox: `folder` is its place on the disk, `lower` what of the image shows through, null for nothing. */
export type ImageDirectory = { target: string; folder: string; lower: string | null; mode: number; uid: number; gid: number };

export type DirectoryOptions = {
  image: ObtainedImage;
  look: ImageLook;
  /** where the sandbox's other mounts are: no VOLUME takes their place */
  taken: readonly string[];
  /** of these, the ones with files of the sandbox's making in them */
  written: readonly string[];
  /** a directory the user has to get through, or null */
  workspacePath: string | null;
};

/**
 * Every directory of the image's root and every VOLUME, each to become writable on the capped disk: by a copy-on-write view, or
 * where the image's is empty or missing by a plain folder, which is cheaper. Nothing else of the sandbox's root can be written.
 * @throws EngineError for an image that cannot be laid out so
 */
export function imageDirectories({ image, look, taken, written, workspacePath }: DirectoryOptions): ImageDirectory[] {
  refuseWhatIsOurs(image, look);
  refuseStrayVolumes(image, { look, taken, written });
  const present = look.directories.filter(({ name }) => !OF_THE_ENGINE.has(name));
  const names = new Set([...look.directories.map(({ name }) => name), ...look.others]);
  const missing = EXPECTED.filter(({ name }) => !names.has(name)).map((directory) => ({ ...directory, uid: 0, gid: 0, empty: true }));
  const top = [...present, ...missing].map((directory) => asDirectory(`/${directory.name}`, directory)).filter(({ target }) => !taken.includes(target));
  const used = new Set([...top.map(({ target }) => target), ...taken]);
  const volumes = look.volumes.filter(({ path }) => !used.has(path)).map(({ path, kind, at }) => asDirectory(path, kind === 'missing' ? { ...at, name: '', mode: 0o755, uid: 0, gid: 0, empty: true } : at));
  return [...top, ...volumes].map((directory, index) => ({
    ...directory, folder: `image-${index}`,
    // Otherwise the image's closed /root, say, would keep the user out of a workspace below it.
    mode: workspacePath?.startsWith(`${directory.target}/`) ? directory.mode | 0o011 : directory.mode,
  }));
}

/** Mounted by the engine anew in every container; /decoy is ours. */
const OF_THE_ENGINE = new Set(['dev', 'proc', 'sys', 'decoy']);
/** What programs take for granted. */
const EXPECTED = [{ name: 'home', mode: 0o755 }, { name: 'root', mode: 0o755 }, { name: 'run', mode: 0o755 }, { name: 'tmp', mode: 0o1777 }, { name: 'var', mode: 0o755 }];
/** A mount's place is written between colons and commas. */
const PLAIN_PATH = /^[\w.@+~/-]+$/;

function asDirectory(target: string, { name, empty, mode, uid, gid }: FoundDirectory) {
  return { target, lower: empty ? null : name, mode, uid, gid };
}

/**
 * The runtime follows links when it mounts. One in the run's own volume or in the workspace, which an earlier run or a pull request may have put there, or one of the
 * image's own would have a VOLUME take the place of Decoy's first process, say, with what the image has there.
 */
function refuseStrayVolumes({ reference }: ObtainedImage, { look, taken, written }: Pick<DirectoryOptions, 'look' | 'taken' | 'written'>): void {
  const ours = ['/decoy', '/proc', '/sys', '/dev', ...taken];
  const stray = look.volumes.find(({ path, kind, at }) => {
    const isCrooked = look.crooked.includes(path) || posix.normalize(path) !== path;
    const place = `/${at.name}`;
    return written.some((directory) => path !== directory && within(path, directory)) || (isCrooked && (kind === 'missing' || ours.some((directory) => within(place, directory) || within(directory, place))));
  });
  if (stray !== undefined) throw new EngineError(`the image ${JSON.stringify(reference)} cannot be used here, as its VOLUME ${JSON.stringify(stray.path)} lies in the workspace or in a volume of the run, or leads through a link to what is not its own: use another image, or another place for the volume`);
}

function within(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? outer : `${outer}/`);
}

function refuseWhatIsOurs({ reference, volumes }: ObtainedImage, look: ImageLook): void {
  const fault = (what: string) => new EngineError(`the image ${JSON.stringify(reference)} cannot be used, ${what}: use another image, or \`image: runner\``);
  if (!look.directories.some(({ name }) => name === 'etc')) throw fault('as its /etc is not a directory the engine can be seen to have mounted');
  const notDirectory = [...OF_THE_ENGINE].find((name) => look.others.includes(name));
  if (notDirectory !== undefined) throw fault(`as its /${notDirectory} is not a directory`);
  const odd = [...look.directories.map(({ name }) => `/${name}`), ...volumes].find((path) => !PLAIN_PATH.test(path));
  if (odd !== undefined) throw fault(`as the name of its directory ${JSON.stringify(odd)} has characters other than letters, digits and _.@+~-`);
  const ours = volumes.find((path) => /^\/(decoy|proc|sys|dev)(\/|$)/.test(path));
  if (ours !== undefined) throw fault(`as its VOLUME ${JSON.stringify(ours)} lies where the sandbox's own mounts are`);
  const file = look.volumes.find(({ kind }) => kind === 'other');
  if (file !== undefined) throw fault(`as its VOLUME ${JSON.stringify(file.path)} is not a directory`);
}
