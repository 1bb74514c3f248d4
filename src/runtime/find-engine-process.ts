import fs from 'node:fs/promises';

/** The daemon that has to read its configuration again, and where that is. */
export type EngineProcess = { pid: number; configurationFile: string };

/** Docker's documentation of dockerd: the defaults of --pidfile and --config-file. */
const PID_FILES = ['/var/run/docker.pid', '/run/docker.pid'];
const CONFIGURATION_FILE = '/etc/docker/daemon.json';

/** @throws Error telling why it cannot be known which process the engine is, or why it must not be told to read its file */
export async function findEngineProcess(dockerHost: string | undefined): Promise<EngineProcess> {
  if (dockerHost !== undefined && dockerHost !== '' && !/^unix:\/\/(\/var)?\/run\/docker\.sock$/.test(dockerHost)) throw new Error('the engine is not this machine\'s own one');
  const pid = await firstPid();
  if (pid === null) throw new Error(`there is no ${PID_FILES[0]} of a running dockerd`);
  const words = (await fs.readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  // Docker refuses a setting that is both on its command line and in its file, and would not even start again with it.
  if (words.some((word) => /^--add-runtime(=|$)/.test(word))) throw new Error('dockerd has runtimes on its command line, which daemon.json may not have then, too');
  return { pid, configurationFile: valueOf(words, '--config-file') ?? CONFIGURATION_FILE };
}

async function firstPid(): Promise<number | null> {
  for (const file of PID_FILES) {
    const pid = Number((await fs.readFile(file, 'latin1').catch(() => '')).trim());
    if (Number.isInteger(pid) && pid > 1 && (await fs.readFile(`/proc/${pid}/comm`, 'latin1').catch(() => '')).trim() === 'dockerd') return pid;
  }
  return null;
}

function valueOf(words: readonly string[], option: string): string | undefined {
  const index = words.findIndex((word) => word === option || word.startsWith(`${option}=`));
  const word = words[index];
  return word === undefined ? undefined : word === option ? words[index + 1] : word.slice(option.length + 1);
}
