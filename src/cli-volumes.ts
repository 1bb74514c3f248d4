import { parseArguments } from './cli-arguments.ts';
import { fail } from './cli-fail.ts';
import { printUsage } from './cli-usage.ts';
import { quote } from './policy/quote.ts';
import { printable } from './report/printable.ts';
import { listVolumes, removeNamedVolume } from './volumes/list-volumes.ts';
import { userDirectory } from './volumes/user-directory.ts';

/** `decoy volumes [list]` and `decoy volumes remove NAME…` */
export async function volumesCommand(args: string[]): Promise<number> {
  const { help, words: [verb = 'list', ...names], command, problems } = parseArguments(args, { verb: 'volumes', options: {} });
  if (help) return printUsage('volumes');
  const directory = userDirectory('volumes', process.env);
  if (command !== null || !['list', 'remove'].includes(verb) || (verb === 'list') !== (names.length === 0)) problems.push('`decoy volumes` lists volumes, `decoy volumes remove NAME…` removes some: write one of these');
  if (directory === null) problems.push('where volumes are kept is not known: set HOME, or DECOY_VOLUMES to an absolute path');
  if (problems.length > 0 || directory === null) return fail(problems);
  return verb === 'list' ? list(directory) : remove(directory, names);
}

async function list(directory: string): Promise<number> {
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  const volumes = await listVolumes(directory);
  if (volumes.length === 0) process.stderr.write(`decoy: no volumes in ${printable(directory, 500)}\n`);
  for (const { name, sizeBytes, usedBytes, usedAt, inUse } of volumes) {
    process.stdout.write(`${name}  ${mib(usedBytes)} of ${mib(sizeBytes)}  used ${usedAt.toISOString()}${inUse ? '  in use' : ''}\n`);
  }
  return 0;
}

async function remove(directory: string, names: readonly string[]): Promise<number> {
  const volumes = await listVolumes(directory);
  // Not only those listed: a run that was killed may have left a folder without a volume.
  const problems = names.flatMap((name) => {
    if (!/^[a-z0-9][a-z0-9_.-]{0,63}$/.test(name)) return [`${quote(name)} is not the name of a volume: see \`decoy volumes\``];
    return volumes.some((volume) => volume.name === name && volume.inUse) ? [`the volume ${quote(name)} is in use: wait for its run, or end it with \`decoy clean --run ID\``] : [];
  });
  if (problems.length > 0) return fail(problems);
  const missing: string[] = [];
  for (const name of names) {
    if (!await removeNamedVolume(directory, name)) missing.push(`there is no volume ${quote(name)}: see \`decoy volumes\``);
  }
  return missing.length > 0 ? fail(missing) : 0;
}
