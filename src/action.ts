import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as core from '@actions/core';
import { openAuditLog } from './audit-log.ts';
import { cancelOnSignals } from './cancel-on-signals.ts';
import { describeHost } from './host.ts';
import { readActionInputs } from './inputs/action-inputs.ts';
import { parseInputs } from './inputs/parse-inputs.ts';
import { parseSecretLines } from './inputs/parse-secrets.ts';
import { openOutput } from './output.ts';
import { renderSummary } from './report/render-summary.ts';
import { renderTerminal } from './report/render-terminal.ts';
import type { Report } from './report/report.ts';
import type { RunResult } from './run.ts';
import { readStepState, stepFiles, writeStepState } from './step-state.ts';
import { errorReport } from './write-error-report.ts';

const verb = process.argv[2];
if (verb === 'run') process.exitCode = await runStep();
else if (verb === 'report-and-clean') process.exitCode = await reportAndClean();
else {
  core.error(`${JSON.stringify(verb)} is not a step of this action: use run or report-and-clean`);
  process.exitCode = 125;
}

/** The first step: runs the code and says in outputs how it went, before it fails. */
async function runStep(): Promise<number> {
  const files = stepFiles(process.env);
  const { raw, secretsText } = readActionInputs(process.env);
  const secrets = parseSecretLines(secretsText);
  for (const { value } of secrets.secrets) core.setSecret(value);
  const inputs = parseInputs(raw, { secrets, workspacePath: process.env['GITHUB_WORKSPACE'] ?? process.cwd(), homePath: os.homedir() });
  if (!inputs.ok) {
    inputs.problems.forEach((problem) => core.error(problem));
    publish({ report: errorReport(inputs.problems), patch: null, proposedAllow: [] }, files);
    return 125;
  }
  const cancellation = cancelOnSignals();
  const auditLog = openAuditLog(files.auditLog);
  const output = openOutput({ stdout: process.stdout, stderr: process.stderr, onGitHub: true });
  writeStepState(files.state, { token: output.token });
  const { run } = await import('./run.ts');
  const result = await run({
    config: inputs.config, host: describeHost(process.env, path.dirname(fileURLToPath(import.meta.url))), signal: cancellation.signal,
    events: { onOutput: output.write, onEntry: auditLog.add, onStage() {}, onWarning: (text) => void process.stderr.write(`decoy: warning: ${text}\n`) },
  });
  output.release();
  cancellation.stop();
  auditLog.close();
  publish(result, files);
  process.stdout.write(`${renderTerminal(result.report, { colour: false })}\n`);
  annotate(result.report);
  return result.report.exitCode;
}

/** The second step, always: whatever the first left open or could not say. Never changes how the job ends. */
async function reportAndClean(): Promise<number> {
  const files = stepFiles(process.env);
  const { token } = readStepState(files.state);
  // Had the first step been killed in the middle, the runner would still be deaf.
  if (token !== null) process.stdout.write(`\n::${token}::\n`);
  const { clean } = await import('./clean.ts');
  await clean({ dockerHost: process.env['DOCKER_HOST'], images: false }).catch((error: Error) => core.warning(`clean-up: ${error.message}`));
  if (!fs.existsSync(files.report)) {
    const report = errorReport(['the run was killed before it could report']);
    fs.writeFileSync(files.report, JSON.stringify(report));
    await core.summary.addRaw(renderSummary(report), true).write();
  }
  fs.rmSync(files.state, { force: true });
  return 0;
}

function publish({ report, patch, proposedAllow }: RunResult, files: ReturnType<typeof stepFiles>): void {
  fs.writeFileSync(files.report, `${JSON.stringify(report, null, 2)}\n`);
  fs.writeFileSync(files.patch, patch?.bytes ?? '');
  if (!fs.existsSync(files.auditLog)) fs.writeFileSync(files.auditLog, '');
  const outputs: Record<string, string | number> = {
    'exit-code': report.exitCode, conclusion: report.conclusion, report: files.report, 'audit-log': files.auditLog, patch: files.patch,
    'changed-files': (patch?.changedFiles ?? []).map(({ path: name }) => name).join('\n'),
    'blocked-count': report.usage.network.blocked, 'cpu-seconds': report.usage.cpuSeconds, 'peak-memory-bytes': report.usage.memoryPeakBytes,
    'wall-seconds': report.wallSeconds, 'proposed-allow': proposedAllow.join('\n'),
  };
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, String(value));
  const summary = process.env['GITHUB_STEP_SUMMARY'];
  if (summary) fs.appendFileSync(summary, renderSummary(report));
}

function annotate(report: Report): void {
  if (report.conclusion === 'success') return;
  core.error(report.error ?? `the sandbox ended with ${report.conclusion} (exit code ${report.exitCode})`);
}
