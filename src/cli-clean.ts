import { parseArguments } from './cli-arguments.ts';
import { fail } from './cli-fail.ts';
import { printUsage } from './cli-usage.ts';
import { quote } from './policy/quote.ts';

const OPTIONS = { run: { takes: 'one', example: '0123456789ab' }, images: { takes: 'nothing' } } as const;

/** `decoy clean [--run ID] [--images]` */
export async function cleanCommand(args: string[]): Promise<number> {
  const { help, values, words: [word], command, problems } = parseArguments(args, { verb: 'clean', options: OPTIONS });
  if (help) return printUsage('clean');
  const runId = values.run?.[0];
  if (word !== undefined || command !== null) problems.push(`\`decoy clean\` takes only options, but has ${quote(word ?? '--')}: write \`decoy clean\`, or \`decoy clean --run ID\` for one run`);
  if (runId !== undefined && !/^[0-9a-f]{12}$/.test(runId)) problems.push(`--run: ${quote(runId)} is not a run's id: write the 12 digits and letters of \`id\` in its report, or leave the option out`);
  if (problems.length > 0) return fail(problems);
  const { clean } = await import('./clean.ts');
  const removed = await clean({ dockerHost: process.env['DOCKER_HOST'], runId, images: values.images !== undefined });
  process.stdout.write(`removed ${removed.containers} containers, ${removed.volumes} volumes, ${removed.directories} directories, ${removed.images} images\n`);
  return 0;
}
