import { fail } from './cli-fail.ts';
import { nearest } from './inputs/nearest.ts';
import { printUsage } from './cli-usage.ts';
import { keepOutOfCoreDumps } from './keep-out-of-core-dumps.ts';
import { quote } from './policy/quote.ts';

const VERBS = ['run', 'demo', 'check', 'suggest', 'clean', 'doctor', 'report', 'volumes', 'snapshots', 'help'];

/** Does what the command line says and returns the exit code. */
export async function main([verb, ...args]: string[], { distDirectory }: { distDirectory: string }): Promise<number> {
  keepOutOfCoreDumps();
  try {
    switch (verb) {
      case 'run': return await (await import('./cli-run.ts')).runCommand(args, { distDirectory });
      case 'demo': return await (await import('./cli-demo.ts')).demoCommand(args, { distDirectory });
      case 'check': return await (await import('./cli-check.ts')).checkCommand(args);
      case 'suggest': return (await import('./cli-suggest.ts')).suggestCommand(args);
      case 'clean': return await (await import('./cli-clean.ts')).cleanCommand(args);
      case 'doctor': return await (await import('./cli-doctor.ts')).doctorCommand(args, { distDirectory });
      case 'report': return (await import('./cli-report.ts')).reportCommand(args, { distDirectory });
      case 'volumes': return await (await import('./cli-volumes.ts')).volumesCommand(args);
      case 'snapshots': return await (await import('./cli-snapshots.ts')).snapshotsCommand(args);
      case 'help': case '--help': case '-h': return help(args);
      case 'version': case '--version': case '-V': process.stdout.write(`decoy ${(await import('./version.ts')).VERSION}\n`); return 0;
      default: return fail([verbProblem(verb)]);
    }
  } catch (error) {
    return fail([(error as Error).message]);
  }
}

function verbProblem(verb: string | undefined): string {
  if (verb === undefined) return 'nothing to do: see `decoy --help`';
  const meant = nearest(verb, VERBS);
  return `${quote(verb)} is not a command: ${meant === null ? 'use `run`, `demo`, `doctor`, `check`, `suggest`, `report`, `clean`, `volumes` or `snapshots`' : `write ${quote(meant)}`}`;
}

function help([verb]: readonly string[]): number {
  if (verb !== undefined && !VERBS.includes(verb)) return fail([verbProblem(verb)]);
  return printUsage(verb === 'help' ? undefined : verb);
}
