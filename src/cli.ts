import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAuditLog } from './audit-log.ts';
import { cancelOnSignals } from './cancel-on-signals.ts';
import { parseRunArguments, type RunArguments } from './cli-options.ts';
import { USAGE } from './cli-usage.ts';
import { forgetEnvironment } from './forget-environment.ts';
import { describeHost } from './host.ts';
import { parseInputs } from './inputs/parse-inputs.ts';
import { parseSecretOptions } from './inputs/parse-secrets.ts';
import { openOutput } from './output.ts';
import { writeErrorReport } from './write-error-report.ts';

const FAILED = 125;

process.exitCode = await main(process.argv.slice(2));

async function main([verb, ...args]: string[]): Promise<number> {
  try {
    switch (verb) {
      case 'run': return await runCommand(args);
      case 'demo': return await (await import('./demo/demo.ts')).demo(distDirectory());
      case 'check': return (await import('./cli-check.ts')).check(args);
      case 'clean': return await (await import('./cli-clean.ts')).cleanCommand(args);
      case 'doctor': return fail(['`decoy doctor` is not supported yet: `decoy run -- true` says what is missing on this machine']);
      case 'help': case '--help': case '-h': process.stdout.write(USAGE); return 0;
      default: return fail([verb === undefined ? 'nothing to do: see `decoy --help`' : `${JSON.stringify(verb)} is not a command: use run, demo, check or clean`]);
    }
  } catch (error) {
    return fail([(error as Error).message]);
  }
}

async function runCommand(args: string[]): Promise<number> {
  if (args.includes('--help') && !args.slice(0, args.indexOf('--help')).includes('--')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const options = parseRunArguments(args);
  const secrets = parseSecretOptions(options.secretOptions, process.env);
  // Read once: no child, no later code and no crash report finds them in this process's environment.
  forgetEnvironment(secrets.secrets.map(({ name }) => name));
  const inputs = parseInputs(options.raw, { secrets, workspacePath: process.cwd(), homePath: os.homedir() });
  if (!inputs.ok) {
    writeErrorReport(options.report, inputs.problems);
    return fail(inputs.problems);
  }
  const cancellation = cancelOnSignals();
  const auditLog = openAuditLog(options.auditLog);
  const onGitHub = process.env['GITHUB_ACTIONS'] === 'true';
  if (onGitHub) for (const { value } of secrets.secrets) process.stdout.write(`::add-mask::${value.replaceAll('%', '%25')}\n`);
  const output = openOutput({ stdout: process.stdout, stderr: process.stderr, onGitHub });
  const { run } = await import('./run.ts');
  const result = await run({
    config: inputs.config,
    host: describeHost(process.env, distDirectory()),
    signal: cancellation.signal,
    events: { onOutput: output.write, onEntry: auditLog.add, onStage() {}, onWarning: (text) => process.stderr.write(`decoy: warning: ${text}\n`) },
  });
  output.release();
  cancellation.stop();
  auditLog.close();
  await writeResults(options, result);
  const crash = cancellation.crash();
  if (crash !== null) return fail([`internal error: ${crash.message}`]);
  return result.report.exitCode;
}

type Result = Awaited<ReturnType<typeof import('./run.ts').run>>;

async function writeResults(options: RunArguments, { report, patch }: Result): Promise<void> {
  if (options.report !== undefined) fs.writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);
  if (options.patch !== undefined) fs.writeFileSync(options.patch, patch?.bytes ?? '');
  if (options.quiet && report.conclusion === 'success') return;
  const { renderTerminal } = await import('./report/render-terminal.ts');
  const colour = process.stderr.isTTY === true && !process.env['NO_COLOR'];
  process.stderr.write(`${renderTerminal(report, { colour })}\n`);
}

/** dist/: where this file and the guest program lie. */
function distDirectory(): string {
  return path.dirname(fileURLToPath(import.meta.url));
}

function fail(problems: readonly string[]): number {
  process.stderr.write(problems.map((problem) => `decoy: ${problem}\n`).join(''));
  return FAILED;
}
