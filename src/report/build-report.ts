import type { Meter } from '../usage/meter.ts';
import type { Changes, Limits, Report } from './report.ts';
import type { Ledger } from './network-ledger.ts';
import { decideConclusion, type Outcome } from './decide-conclusion.ts';

/** Everything a report is made of. */
/** What the disk ran out of, if it did: a file takes an inode whatever it holds. */
export type StorageFull = false | 'bytes' | 'files';

export type ReportParts = {
  id: string;
  /** `enforce` where it is not given */
  mode?: 'enforce' | 'observe' | undefined;
  startedAt: Date;
  /** null or absent where the command was not started */
  commandStartedAt?: Date | null;
  wallSeconds: number;
  image: string;
  /** null or absent for the runner's own tools, and where the image was not found */
  imageDigest?: string | null;
  /** null or absent where none was saved */
  snapshot?: Report['snapshot'] | null;
  /** null or absent where nothing was exposed */
  exposed?: Report['exposed'] | null;
  /** empty or absent where there were none */
  services?: Report['services'];
  /** absent where the inputs were refused */
  runtime?: string;
  limits: Limits;
  outcome: Outcome;
  /** what the disk had no more room for at some time */
  storageFull: StorageFull;
  failOnBlocked: boolean;
  /** what the engine says (`State.OOMKilled`): the counters themselves are gone if the sandbox's first process was killed */
  engineSawOom?: boolean;
  /** null or absent where no canary was proven */
  canaryMs?: number | null;
  /** zero or absent where the start had to wait for no other */
  waitedMs?: number;
  meter: Pick<Meter, 'usage' | 'samples'>;
  ledger: Pick<Ledger, 'network' | 'secrets' | 'blocked' | 'observed' | 'failed' | 'requests'>;
  changes: Changes;
};

/** Always gives a report, whatever the outcome. */
export function buildReport(parts: ReportParts): Report {
  const { meter, ledger, outcome } = parts;
  const failed = ledger.failed();
  const measured = meter.usage();
  const full = { ...(parts.storageFull ? { storageFull: true as const } : {}), ...(parts.storageFull === 'files' ? { filesFull: true as const } : {}) };
  const usage = { ...measured, oomKills: Math.max(measured.oomKills, parts.engineSawOom ? 1 : 0), network: ledger.network(), ...full };
  const { conclusion, exitCode } = decideConclusion(outcome, {
    oomKills: usage.oomKills,
    storageFull: parts.storageFull !== false,
    blocked: usage.network.blocked,
    failOnBlocked: parts.failOnBlocked,
  });
  return {
    version: 1,
    id: parts.id,
    ...(parts.mode === 'observe' ? { mode: 'observe' as const } : {}),
    conclusion,
    exitCode,
    ...(outcome.kind === 'error' ? { error: outcome.message } : outcome.kind === 'cancelled' && outcome.why !== undefined ? { error: outcome.why } : {}),
    startedAt: parts.startedAt.toISOString(),
    ...(parts.commandStartedAt == null ? {} : { commandStartedAt: parts.commandStartedAt.toISOString() }),
    wallSeconds: parts.wallSeconds,
    image: parts.image,
    ...(parts.imageDigest == null ? {} : { imageDigest: parts.imageDigest }),
    ...(parts.snapshot == null ? {} : { snapshot: parts.snapshot }),
    ...(parts.runtime === undefined ? {} : { runtime: parts.runtime }),
    limits: parts.limits,
    ...(parts.exposed == null ? {} : { exposed: parts.exposed }),
    ...(parts.services?.length ? { services: parts.services } : {}),
    ...(parts.canaryMs == null ? {} : { startup: { canaryMs: Math.round(parts.canaryMs * 10) / 10, ...(parts.waitedMs ? { waitedMs: Math.round(parts.waitedMs) } : {}) } }),
    usage,
    secrets: ledger.secrets(),
    blocked: ledger.blocked(),
    ...(parts.mode === 'observe' ? { observed: ledger.observed() } : {}),
    ...(failed.length > 0 ? { failed } : {}),
    requests: ledger.requests(),
    samples: meter.samples(),
    changes: parts.changes,
  };
}
