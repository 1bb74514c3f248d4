import type { ExposedRow } from '../report/exposed-rows.ts';
import type { LimitRow } from '../report/limit-rows.ts';
import type { ObserveNotes } from '../report/observe-notes.ts';
import type { BlockedGroup, Changes, Conclusion, HostUsage, Limits, NetworkUsage, SecretTotals } from '../report/report.ts';
import type { ServiceRow } from '../report/service-rows.ts';
import type { Sample } from '../usage/usage.ts';

/** Everything the page shows. Its texts are safe to print (see `printable`), its lists bounded; a page that cannot show all of a list says how much is left out. */
export type PageData = {
  id: string;
  conclusion: Conclusion;
  exitCode: number;
  verdict: string;
  /** of inputs that were refused for more than one reason */
  problems: string[];
  /** only of a run whose rules were not enforced */
  notes: ObserveNotes | null;
  canary: string;
  startedAt: string;
  wallSeconds: number;
  image: string;
  imageDigest: string | null;
  /** empty where nothing was started */
  limitRows: LimitRow[];
  limits: Limits;
  samples: Sample[];
  network: Omit<NetworkUsage, 'hosts'>;
  hosts: Bounded<HostUsage>;
  services: Bounded<ServiceRow>;
  exposed: Bounded<ExposedRow>;
  secrets: Bounded<SecretTotals>;
  blocked: Bounded<BlockedGroup>;
  observed: Bounded<BlockedGroup>;
  failed: Bounded<BlockedGroup>;
  traffic: Traffic;
  /** null where no audit log was given */
  requests: RequestTable | null;
  changes: Changes;
  /** null where no patch was given */
  files: Bounded<FileChange> | null;
};

export type Bounded<Item> = { items: Item[]; leftOut: number };

/** How many requests began in each span of `binSeconds`, the first of which begins `fromSeconds` after the command's start (or, where negative, before). */
export type Traffic = { fromSeconds: number; binSeconds: number; allowed: number[]; blocked: number[]; failed: number[] };

/** One file of the patch. `binary`: its lines cannot be counted. */
export type FileChange = { path: string; kind: 'added' | 'deleted' | 'modified' | 'renamed'; insertions: number; deletions: number; binary: boolean };

export const DECISIONS = ['allowed', 'blocked', 'failed'] as const;

/**
 * The audit log by columns, in order of time. A text is an index into `texts`, `-1` where there is none: most requests repeat a few hosts and
 * paths. Times are milliseconds since the command's start.
 */
export type RequestTable = {
  texts: string[];
  startMs: number[];
  durationMs: number[];
  /** index into `DECISIONS` */
  decision: number[];
  protocol: number[];
  method: number[];
  host: number[];
  /** 0 where there is none */
  port: number[];
  path: number[];
  rule: number[];
  reason: number[];
  /** 0 where there is none */
  status: number[];
  requestBytes: number[];
  responseBytes: number[];
  /** such as `OPENAI_API_KEY (1 swapped)` */
  secrets: number[];
  /** lines of the log, those left out included */
  total: number;
  leftOut: number;
  /** lines that are no entry, as the last one of a run that was killed may be */
  unreadable: number;
  /** whether the log itself had reached its bound */
  truncated: boolean;
};
