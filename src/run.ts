import { randomBytes } from 'node:crypto';
import type { RunConfig, Host } from './config.ts';
import type { Exposed } from './expose/expose-request.ts';
import { awaitTurn } from './await-turn.ts';
import { compilePolicy } from './policy/compile-policy.ts';
import { explainFailure } from './explain-failure.ts';
import { findImage } from './find-image.ts';
import { imageName } from './image-name.ts';
import { findRuntime } from './find-runtime.ts';
import { observePolicy } from './policy/observe-policy.ts';
import { quote } from './policy/quote.ts';
import { prepareSandbox, type PreparedSandbox } from './prepare-sandbox.ts';
import { createLedger } from './report/network-ledger.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import { buildReport, type StorageFull } from './report/build-report.ts';
import type { Outcome } from './report/decide-conclusion.ts';
import { proposeAllow } from './report/propose-allow.ts';
import { suggestAllow } from './report/suggest-allow.ts';
import type { Changes, Report } from './report/report.ts';
import { openRunDirectory } from './run-directory.ts';
import { mintSecrets } from './secrets/mint-secrets.ts';
import type { Patch } from './sandbox/keeper.ts';
import { findServices } from './services/find-services.ts';
import type { FoundService } from './services/open-services.ts';
import { renderServiceLogs, reportServices } from './services/report-services.ts';
import { deferred } from './sandbox/deferred.ts';
import { connectEngine, type Engine } from './sandbox/engine.ts';
import type { OutputFrame } from './sandbox/demultiplex.ts';
import { snapshotSaver } from './save-snapshot.ts';
import { refuseUnusable } from './sandbox/refuse-engine.ts';
import { watchEngine } from './sandbox/watch-engine.ts';
import { cancelledBy } from './output-lost.ts';
import { createMeter } from './usage/meter.ts';
import type { Sample } from './usage/usage.ts';
import { timeStages, type StageTiming } from './usage/time-stages.ts';
import { watch } from './watch.ts';
import { writeBack } from './workspace/write-back.ts';

/** `command`: from here on there is output of the sandbox's */
export type RunPart = 'prepare' | 'command' | 'end';

export type RunEvents = {
  /** passes on what the sandbox prints; awaited, so that a slow reader slows the sandbox down */
  onOutput(frame: OutputFrame): Promise<void>;
  onEntry(entry: AuditEntry): void;
  /** something is begun, or was found to hold; `part` is where in the run that is */
  onStage(text: string, part: RunPart): void;
  /** what the run waits for, where that can take long, and how far that is: the pull of an image, some four times a second */
  onProgress?(task: string, state: string | null): void;
  onWarning(text: string): void;
  /** ports of the sandbox are open to this user of the host from now on, though nothing may listen there yet */
  onExposed?(exposed: readonly Exposed[]): void;
  /** what the sandbox has used by now; often: see watch.ts */
  onSample?(sample: Sample): void;
  /** where the time went: a part of the run has ended */
  onTiming?(timing: StageTiming): void;
};

/** `signal` is aborted with the name of the signal that cancels the run. */
export type RunOptions = { config: RunConfig; host: Host; events: RunEvents; signal: AbortSignal };

/** `serviceLogs`: what the services printed, each line behind its service's name; text that they chose, without control characters. */
export type RunResult = { report: Report; patch: Patch | null; proposedAllow: string[]; serviceLogs: string };

/** Of the paths that are not in the patch, told one by one. */
const SKIPPED_TOLD = 5;
/** Largest patch that is brought out of the sandbox. */
const PATCH_BYTES = 100 * 2 ** 20;

/** Runs the command in the capped container, with placeholders for secrets; always ends with a report. */
export async function run({ config, host, events, signal }: RunOptions): Promise<RunResult> {
  const id = randomBytes(6).toString('hex');
  const startedAt = new Date();
  const secrets = mintSecrets(config.secrets);
  const ledger = createLedger(secrets);
  const meter = createMeter({ storageEnforcement: 'hard' });
  const facts = {
    imageDigest: null as string | null, canaryMs: null as number | null, waitedMs: 0, commandStartedAt: null as Date | null, wallSeconds: 0, storageFull: false as StorageFull, engineSawOom: false,
    patch: null as Patch | null, changesProblem: null as string | null, snapshot: null as Report['snapshot'] | null, exposed: null as Report['exposed'] | null,
  };
  const recording = deferred<never>();
  recording.promise.catch(() => {});
  const record = (entry: AuditEntry) => {
    ledger.add(entry);
    try {
      events.onEntry(entry);
    } catch (error) {
      // Nothing goes on without its record.
      recording.reject(error as Error);
    }
  };
  const services: FoundService[] = [];
  const timed = timeStages((timing) => events.onTiming?.(timing));

  const reportOf = (how: Outcome, written?: boolean) => buildReport({
    ...facts, id, mode: config.mode, startedAt, image: imageName(config), runtime: config.runtime ?? 'runc', limits: config.limits, outcome: how,
    services: reportServices(services.map((service) => service.record)),
    failOnBlocked: config.failOnBlocked, meter, ledger, changes: { ...describeChanges(facts), ...(written === undefined ? {} : { written }) },
  });

  let engine: Engine | null = null;
  let ended: Outcome | null = null;

  const story = async (): Promise<Outcome> => {
    if (host.problems?.length) throw new Error(host.problems.join('; '));
    const cancelled = () => signal.aborted;
    const enforced = compilePolicy({ rules: config.rules, bindings: secrets });
    const policy = config.mode === 'observe' ? observePolicy(enforced, config) : enforced;
    engine = await timed('engine', () => connectEngine({ dockerHost: host.dockerHost }));
    await using _watched = watchEngine(engine);
    await refuseUnusable(engine);
    const runtime = await findRuntime(engine, { config, host, events, signal, timed });
    if (cancelled()) return cancelledBy(signal);
    const image = await findImage(engine, { config, host, events, signal, timed });
    if (cancelled()) return cancelledBy(signal);
    facts.imageDigest = image?.digest ?? null;
    services.push(...await findServices(engine, { config, host, events, signal, timed }));
    if (cancelled()) return cancelledBy(signal);
    using turn = await timed('waiting for other starts', () => awaitTurn({ signal, onWait: (before) => events.onProgress?.('waiting for other sandboxes to start', `${before} before this one`) }));
    facts.waitedMs = turn.waitedMs;
    if (cancelled()) return cancelledBy(signal);
    events.onStage('starting the gateway, the disk and the proxy', 'prepare');
    await using directory = await openRunDirectory(id);
    await using prepared = await prepareSandbox(engine, { id, config, host, image, runtime, secrets, policy, runDirectory: directory.path, services, signal, record, events, timed, onStarted: turn.over });
    facts.canaryMs = prepared.canaryMs;
    events.onStage(`the start-up canary held, ${Math.round(prepared.canaryMs)} ms`, 'prepare');
    if (cancelled()) return cancelledBy(signal);
    await using snapshot = snapshotSaver({ config, host, events, signal });
    events.onStage('running the command', 'command');
    const watched = await timed('sandbox: command to end', () => watch(prepared, {
      limits: config.limits, meter, ledger, signal, failed: recording.promise, onOutput: events.onOutput, onSample: (sample) => events.onSample?.(sample),
      whenOver: async (cut) => {
        await snapshot.stage(prepared, cut);
        Object.assign(facts, await takeChanges(prepared, { config, events }));
      },
    }));
    Object.assign(facts, watched.facts, { exposed: prepared.exposed?.usage() ?? null });
    ended = watched.outcome;
    facts.snapshot = await snapshot.save(engine, reportOf(watched.outcome).conclusion);
    return watched.outcome;
  };

  const told = await story().catch((error: Error): Outcome => (ended?.kind === 'error' ? ended : { kind: 'error', message: describe(error) }));
  const outcome = told.kind === 'error' ? { ...told, message: await explainFailure(told.message, engine) } : told;
  const judged = reportOf(outcome);
  const placed = await writeBack(judged, { workspace: config.workspace, entries: facts.patch?.entries ?? [], unwritable: facts.patch?.unwritable });
  const report = placed === undefined ? judged
    : placed.kind === 'refused' ? reportOf({ kind: 'error', message: placed.problem }, false) : reportOf(outcome, placed.kind === 'written');
  const proposedAllow = config.mode === 'observe' ? suggestAllow(report.requests ?? []) : proposeAllow(ledger.refusals(), { bindings: secrets });
  return { report, patch: facts.patch, proposedAllow, serviceLogs: renderServiceLogs(services.map((service) => service.record)) };
}

function describeChanges({ patch, changesProblem }: Taken): Changes {
  const { files = 0, insertions = 0, deletions = 0, skippedCount = 0 } = patch ?? {};
  return { files, insertions, deletions, ...(skippedCount > 0 ? { leftOut: skippedCount } : {}), ...(changesProblem === null ? {} : { problem: changesProblem }) };
}

type Taken = { patch: Patch | null; changesProblem: string | null };

async function takeChanges(prepared: PreparedSandbox, { config, events }: Pick<RunOptions, 'config' | 'events'>): Promise<Taken> {
  try {
    const { mode } = config.workspace;
    const patch = await prepared.windUp(mode === 'copy' || mode === 'write' ? { readPatch: true, maxBytes: PATCH_BYTES, contents: mode === 'write' } : { readPatch: false });
    patch?.skipped.slice(0, SKIPPED_TOLD).forEach(({ path, reason }) => events.onWarning(`${quote(path)} is not in the patch: ${reason}`));
    return { patch, changesProblem: null };
  } catch (error) {
    const changesProblem = `The workspace's changes could not be read: ${(error as Error).message}`;
    events.onWarning(changesProblem);
    return { patch: null, changesProblem };
  }
}

/** When clean-up fails too, the first error is the one that tells why. */
function describe(error: Error): string {
  const suppressed = (error as Error & { suppressed?: Error }).suppressed;
  return suppressed instanceof Error ? describe(suppressed) : error.message;
}
