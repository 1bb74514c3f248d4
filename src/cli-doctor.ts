import { cancelOnSignals } from './cancel-on-signals.ts';
import { parseArguments } from './cli-arguments.ts';
import { fail } from './cli-fail.ts';
import { printUsage } from './cli-usage.ts';
import { describeHost } from './host.ts';
import { parseRuntime } from './inputs/parse-runtime.ts';
import { quote } from './policy/quote.ts';

/** `decoy doctor [--json] [--runtime NAME]`: exit 0 where a run goes on this machine, and in that runtime; 1 where none does. */
export async function doctorCommand(args: string[], { distDirectory }: { distDirectory: string }): Promise<number> {
  const { help, values, words: [word], command, problems } = parseArguments(args, { verb: 'doctor', options: { json: { takes: 'nothing' }, runtime: { takes: 'one', example: 'runsc' } } });
  if (help) return printUsage('doctor');
  if (word !== undefined || command !== null) problems.push(`\`decoy doctor\` takes only \`--json\` and \`--runtime\`, but has ${quote(word ?? '--')}: write \`decoy doctor\``);
  const [given] = values.runtime ?? [];
  const runtime = given === undefined ? null : parseRuntime(given);
  if (runtime?.ok === false) problems.push(runtime.problem);
  if (problems.length > 0) return fail(problems);
  const [{ examine }, { isUsable, renderFindings }] = await Promise.all([import('./doctor/examine.ts'), import('./doctor/render-findings.ts')]);
  const cancellation = cancelOnSignals();
  const findings = await examine(describeHost(process.env, distDirectory), { signal: cancellation.signal, runtime: runtime?.ok ? runtime.value : null });
  cancellation.stop();
  const ok = isUsable(findings);
  process.stdout.write(values.json === undefined ? `${renderFindings(findings).join('\n')}\n` : `${JSON.stringify({ version: 1, ok, findings }, null, 2)}\n`);
  return ok ? 0 : 1;
}
