import { parseArguments } from './cli-arguments.ts';
import { fail } from './cli-fail.ts';
import { printUsage } from './cli-usage.ts';
import { quote } from './policy/quote.ts';

/** `decoy demo` */
export async function demoCommand(args: string[], { distDirectory }: { distDirectory: string }): Promise<number> {
  const { help, words: [word], command, problems } = parseArguments(args, { verb: 'demo', options: {} });
  if (help) return printUsage('demo');
  if (word !== undefined || command !== null) problems.push(`\`decoy demo\` takes no arguments, but has ${quote(word ?? '--')}: write only \`decoy demo\``);
  if (problems.length > 0) return fail(problems);
  return await (await import('./demo/demo.ts')).demo(distDirectory);
}
