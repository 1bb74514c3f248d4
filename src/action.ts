import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as core from '@actions/core';
import { openAuditLog } from './audit-log.ts';
import { cancelOnSignals } from './cancel-on-signals.ts';
import type { RunConfig } from './config.ts';
import { describeExposed } from './expose/describe-exposed.ts';
import { describeHost } from './host.ts';
import { endProcess } from './end-process.ts';
import { forgetEnvironment } from './forget-environment.ts';
import { readActionInputs } from './inputs/action-inputs.ts';
import { secretMasks } from './inputs/secret-masks.ts';
import { parseInputs } from './inputs/parse-inputs.ts';
import { loadPolicy } from './inputs/policy/load-policy.ts';
import { parseSecretLines } from './inputs/parse-secrets.ts';
import { keepOutOfCoreDumps } from './keep-out-of-core-dumps.ts';
import { openOutput } from './output.ts';
import { quote } from './policy/quote.ts';
import { openStepLog } from './step-log.ts';
import { printableSentence } from './report/printable.ts';
import { renderSummary } from './report/render-summary.ts';
import { renderTerminal } from './report/render-terminal.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import type { Plan } from './report/describe-plan.ts';
import { createLiveLines } from './report/live-lines.ts';
import { renderVerdict } from './report/render-verdict.ts';
import type { Report } from './report/report.ts';
import type { RunResult } from './run.ts';
import { imageName } from './image-name.ts';
import { readStepState, stepFiles, writeStepState, type StepFiles } from './step-state.ts';
import { carryVolumes } from './volumes/carry-volumes.ts';
import { planCache } from './volumes/plan-cache.ts';
import { tuneOnceStarted } from './tune-process.ts';
import { errorReport } from './write-error-report.ts';
import type { PageParts } from './report-page/describe-page.ts';

const FAILED = 125;
const distDirectory = path.dirname(fileURLToPath(import.meta.url));
/** All outputs of a job together may have 1 MB (docs.github.com, Passing information between jobs). */
const OUTPUT_BYTES = 256 * 1024;

await endProcess(await main(process.argv[2]));

async function main(verb: string | undefined): Promise<number> {
  try {
    if (verb === 'plan-volumes') return await planVolumes();
    if (verb === 'run') return await runStep();
    if (verb === 'report-and-clean') return await reportAndClean();
    throw new Error(`${JSON.stringify(verb)} is not a step of this action: use plan-volumes, run or report-and-clean`);
  } catch (error) {
    core.error(sentence(problemOf(error as NodeJS.ErrnoException)));
    return FAILED;
  }
}

/** Before the first step, where there may be volumes: says where a cache of them is looked for. What is wrong with a policy file is the run's to say. */
async function planVolumes(): Promise<number> {
  const policy = await loadPolicy(process.env['INPUT_POLICY'], { workspacePath: process.env['GITHUB_WORKSPACE'] ?? process.cwd(), environment: process.env });
  const plan = planCache([...policy.problems.length === 0 ? policy.inputs.volumes ?? [] : [], process.env['INPUT_VOLUMES'] ?? ''].join('\n'), process.env);
  if (plan === null) return 0;
  const { archive, key, prefix, save } = plan;
  // A use of the action before this one in the job may have left its own.
  fs.rmSync(path.dirname(archive), { recursive: true, force: true });
  for (const [name, value] of Object.entries({ archive, key, prefix, save })) core.setOutput(name, String(value));
  if (!save) core.notice(sentence(`the volumes are not kept for later runs: ${process.env['GITHUB_EVENT_NAME'] || 'this event'} on ${process.env['GITHUB_REF'] || 'no ref'} could change those of runs that are trusted`));
  return 0;
}

/** The first step: runs the code and says in outputs how it went, before it fails. */
async function runStep(): Promise<number> {
  keepOutOfCoreDumps();
  const files = stepFiles(process.env);
  const { raw, secretsText } = readActionInputs(process.env);
  forgetEnvironment(['INPUT_SECRETS']);
  const workspacePath = process.env['GITHUB_WORKSPACE'] ?? process.cwd();
  const policy = await loadPolicy(raw.policy, { workspacePath, environment: process.env });
  const secrets = parseSecretLines(secretsText, policy.bindings);
  for (const mask of secretMasks(secretsText, secrets.secrets)) core.setSecret(mask);
  const host = describeHost(process.env, distDirectory);
  const inputs = parseInputs(raw, { secrets, policy, workspacePath, homePath: os.homedir(), host });
  if (!inputs.ok) {
    inputs.problems.forEach((problem) => core.error(sentence(problem)));
    await publish(withoutRun(inputs.problems), files);
    return FAILED;
  }
  const cancellation = cancelOnSignals();
  const auditLog = openAuditLog(files.auditLog);
  const output = openOutput({ stdout: process.stdout, stderr: process.stderr, mode: 'silence', onToken: (token) => writeStepState(files.state, { token }) });
  const live = createLiveLines(inputs.config);
  const log = openStepLog(output, planOf(inputs.config));
  const onEntry = (entry: AuditEntry) => {
    auditLog.add(entry);
    log.say(live.blocked(entry));
  };
  const warnings: string[] = [];
  let result: RunResult;
  const volumes = await carryVolumes({ config: inputs.config, directory: host.volumesDirectory ?? null, environment: process.env, onWarning: (text) => void warnings.push(text) });
  try {
    inputs.warnings.forEach((text) => void warnings.push(text));
    const { run } = await import('./run.ts');
    result = await run({
      config: inputs.config, host, signal: cancellation.signal,
      events: tuneOnceStarted({
        onOutput: output.write, onEntry, onStage: log.stage, onSample: (sample) => log.say(live.heartbeat(sample)), onProgress: log.progress,
        onExposed: (exposed) => describeExposed(exposed, { file: inputs.config.expose?.file ?? null, isPublic: true }).forEach(log.say),
        onWarning: (text) => void warnings.push(text),
      }),
    });
    log.result(result.report, renderTerminal(result.report, { colour: false }));
  } catch (error) {
    result = withoutRun([(error as Error).message]);
  } finally {
    log.close();
    cancellation.stop();
    auditLog.close();
  }
  core.setOutput('volumes-packed', String(await volumes.pack(result.report.conclusion)));
  const { report } = await publish(result, files);
  annotate(report, warnings);
  return report.exitCode;
}

/** The second step, always: whatever the first left open or could not say. Never changes how the job ends. */
async function reportAndClean(): Promise<number> {
  const files = stepFiles(process.env);
  const { token } = readStepState(files.state);
  // Had the first step been killed in the middle, the runner could still be deaf, or in a group.
  if (token !== null) process.stdout.write(`\n::${token}::\n`);
  if (!fs.existsSync(files.report)) process.stdout.write('\n::endgroup::\n');
  await cleanUp();
  if (!fs.existsSync(files.report)) await publish(withoutRun(['the run was killed before it could report']), files);
  fs.rmSync(files.state, { force: true });
  return 0;
}

async function cleanUp(): Promise<void> {
  try {
    const { clean } = await import('./clean.ts');
    await clean({ dockerHost: process.env['DOCKER_HOST'], images: false });
  } catch (error) {
    core.warning(sentence(`clean-up: ${(error as Error).message}`));
  }
}

function planOf({ image, snapshotFrom, runtime = 'runc', limits, mode = 'enforce', rules, secrets }: RunConfig): Plan {
  return { image: imageName({ image, snapshotFrom }), runtime, limits, mode, rules, secrets };
}

function withoutRun(problems: readonly string[]): RunResult {
  return { report: errorReport(problems), patch: null, proposedAllow: [], serviceLogs: '' };
}

/** Files, outputs and the job summary; gives the result that they tell. A run whose patch or report is cut has failed, whatever its command did. */
async function publish(ended: RunResult, files: StepFiles): Promise<RunResult> {
  const problems = writeFiles(ended, files);
  const result: RunResult = problems.length === 0 ? ended : { ...ended, patch: null, report: { ...ended.report, conclusion: 'error', exitCode: FAILED, error: problems.join('; ') } };
  if (problems.length > 0) writeFiles(result, files);
  const { report, patch, proposedAllow } = result;
  const outputs: Record<string, string | number> = {
    'exit-code': report.exitCode, conclusion: report.conclusion, report: files.report, 'audit-log': files.auditLog, patch: files.patch,
    'changed-files': lines((patch?.changedFiles ?? []).map(({ path: name }) => fileName(name))),
    'blocked-count': report.usage.network.blocked, 'cpu-seconds': report.usage.cpuSeconds, 'peak-memory-bytes': report.usage.memoryPeakBytes,
    'wall-seconds': report.wallSeconds, 'proposed-allow': lines(proposedAllow), exposed: JSON.stringify(report.exposed ?? []),
  };
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, String(value));
  const summary = process.env['GITHUB_STEP_SUMMARY'];
  if (summary) fs.appendFileSync(summary, renderSummary(report, { changedFiles: patch?.changedFiles ?? [], proposedAllow }));
  await publishPage({ report, patch: patch?.bytes ?? null }, files);
  return result;
}

/** Each that can be written; what is wrong with the others. */
function writeFiles({ report, patch, serviceLogs }: RunResult, files: StepFiles): string[] {
  fs.appendFileSync(files.auditLog, '');
  const contents: (readonly [string, string | Uint8Array])[] = [
    ...(report.services === undefined ? [] : [[files.serviceLog, serviceLogs] as const]), [files.report, `${JSON.stringify(report, null, 2)}\n`], [files.patch, patch?.bytes ?? ''],
  ];
  return contents.flatMap(([file, content]) => {
    try {
      fs.writeFileSync(file, content);
      return [];
    } catch (error) {
      return [`cannot write ${quote(file)}: ${problemOf(error as NodeJS.ErrnoException)}`];
    }
  });
}

/** After everything else: the page says nothing that the other files do not, and must not keep them from being there. */
async function publishPage(parts: Pick<PageParts, 'report' | 'patch'>, files: StepFiles): Promise<void> {
  try {
    const [{ readRequestLog }, { renderPage }, { readPageAssets }] = await Promise.all([import('./read-request-log.ts'), import('./report-page/render-page.ts'), import('./page-assets.ts')]);
    fs.writeFileSync(files.page, renderPage({ ...parts, log: readRequestLog(files.auditLog, parts.report) }, readPageAssets(distDirectory)));
  } catch (error) {
    core.warning(sentence(`report.html could not be written: ${(error as Error).message}`));
  }
}

/** One a line, as many whole lines as fit. */
function lines(values: readonly string[]): string {
  let bytes = 0;
  return values.filter((value) => (bytes += Buffer.byteLength(value) + 1) <= OUTPUT_BYTES).join('\n');
}

/** A sandbox may put a line break into a file's name, and so a file that is not there into the list. */
function fileName(name: string): string {
  if (!/[\p{C}"\\\u2028\u2029]/u.test(name)) return name;
  // JSON leaves marks that reorder or hide text as they are.
  return JSON.stringify(name).replace(/[\p{C}\u2028\u2029]/gu, (mark) => mark.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''));
}

/** Of the runner's own files, too, such as the one for outputs. */
function problemOf({ code, message }: NodeJS.ErrnoException): string {
  return code === 'ENOSPC' || code === 'EDQUOT' ? `${message}: make room on the runner's disk` : message;
}

/** GitHub shows ten of a kind for a step. What Decoy has to say comes first, then what was blocked, with its remedy. */
function annotate(report: Report, warnings: readonly string[]): void {
  const blocked = report.blocked.map(({ host, reason, count, remedy }) => `${host} was blocked${count === 1 ? '' : ` ${count} times`} (${reason}): ${remedy}`);
  [...warnings, ...blocked].slice(0, 10).forEach((text) => core.warning(sentence(text)));
  if (report.conclusion === 'success') return;
  core.error(sentence(`${report.conclusion} (exit code ${report.exitCode}): ${renderVerdict(report)}`));
}

function sentence(text: string): string {
  return printableSentence(text, 1000);
}
