import { parseArguments } from './cli-arguments.ts';
import { fail } from './cli-fail.ts';
import { printUsage } from './cli-usage.ts';
import { quote } from './policy/quote.ts';
import { printable } from './report/printable.ts';
import { listRecords, removeRecord, snapshotTag } from './snapshots/records.ts';
import { snapshotPlace } from './snapshots/snapshot-place.ts';

/** `decoy snapshots [list]` and `decoy snapshots remove NAME…`; those of all scopes. */
export async function snapshotsCommand(args: string[]): Promise<number> {
  const { help, words: [verb = 'list', ...names], command, problems } = parseArguments(args, { verb: 'snapshots', options: {} });
  if (help) return printUsage('snapshots');
  const { directory } = snapshotPlace(process.env);
  if (command !== null || !['list', 'remove'].includes(verb) || (verb === 'list') !== (names.length === 0)) problems.push('`decoy snapshots` lists snapshots, `decoy snapshots remove NAME…` removes some: write one of these');
  if (directory === null) problems.push('where snapshots are recorded is not known: set HOME, or DECOY_SNAPSHOTS to an absolute path');
  if (problems.length > 0 || directory === null) return fail(problems);
  const records = await listRecords(directory);
  if (verb === 'list') {
    if (records.length === 0) process.stderr.write(`decoy: no snapshots in ${printable(directory, 500)}\n`);
    for (const { name, scope, digest, image, savedAt } of records) process.stdout.write(`${name}  ${digest}  of ${printable(image, 200)}  saved ${savedAt}  ${scope}\n`);
    return 0;
  }
  const missing = names.filter((name) => !records.some((record) => record.name === name));
  if (missing.length > 0) return fail(missing.map((name) => `there is no snapshot ${quote(name)}: see \`decoy snapshots\``));
  return remove(directory, records.filter(({ name }) => names.includes(name)));
}

async function remove(directory: string, records: Awaited<ReturnType<typeof listRecords>>): Promise<number> {
  const { connectEngine } = await import('./sandbox/engine.ts');
  const engine = await connectEngine({ dockerHost: process.env['DOCKER_HOST'] });
  const { removeSnapshotImage } = await import('./sandbox/snapshot/remove-snapshot-image.ts');
  for (const record of records) {
    await removeSnapshotImage(engine, { tag: snapshotTag(directory, record), digest: record.digest });
    await removeRecord(directory, record);
  }
  return 0;
}
