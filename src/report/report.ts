import type { RefusalReason } from '../policy/policy.ts';
import type { AskedRequest } from './asked-requests.ts';
import type { Sample, ResourceUsage } from '../usage/usage.ts';

export type Conclusion =
  | 'success' | 'failure' | 'timeout' | 'oom' | 'storage' | 'blocked' | 'cancelled' | 'error';

export type Limits = {
  wallSeconds: number;
  memoryBytes: number;
  cpus: number;
  storageBytes: number;
  pids: number;
};

/** `requests` reached, or tried to reach, the host; `blocked` attempts were refused and are not among them. */
export type HostUsage = {
  host: string; requests: number; blocked: number; requestBytes: number; responseBytes: number;
  substitutions: number; scrubs: number;
};

/** One line of the report's secrets: how often each was swapped in, taken out of an answer, and kept from leaving. */
export type SecretTotals = {
  name: string; hosts: string[]; placeholderPrefix: string; substitutions: number; scrubs: number; refusals: number;
};

/** Refusals or failures of one kind, together. `method` and `path` are null where they differ from one attempt to the next. */
export type BlockedGroup = {
  host: string; port: number | null; method: string | null; path: string | null; reason: RefusalReason; count: number; remedy: string;
};

export type NetworkUsage = {
  requests: number; blocked: number; requestBytes: number; responseBytes: number; hosts: HostUsage[];
};

export type Changes = {
  files: number; insertions: number; deletions: number;
  /** changed paths that are not in the patch: what git or the host could not take (devices, names that pass for `.git`, too deep), and what would make it larger than 100 MiB */
  leftOut?: number;
  /** one sentence, only where the changes could not be read at all */
  problem?: string;
  /** only with `workspace: write`: whether they were written to the workspace */
  written?: boolean;
};

/**
 * A further container of the run. `startSeconds`: from its start until it was healthy, null where it never was; `exitCode`: where it ended before the run was over, else null.
 * Its requests are among those of the run.
 */
export type ServiceReport = {
  name: string; image: string; imageDigest?: string; startSeconds: number | null; exitCode: number | null; limits: Omit<Limits, 'wallSeconds'>;
  usage?: Pick<ResourceUsage, 'cpuSeconds' | 'memoryPeakBytes' | 'oomKills' | 'pidsPeak' | 'storagePeakBytes'>;
};

/**
 * A port of the sandbox that the host could reach, at `url` or `socket`. `requests` had the port's token, `refused` had not, or were connections above
 * the limit. A socket knows connections alone.
 */
export type ExposedPort = { port: number; url?: string; socket?: string; connections: number; requests?: number; refused: number };

/** report.json, version 1. */
export type Report = {
  version: 1;
  id: string;
  /** only of a run in which the rules were not enforced: what they would have refused was let through */
  mode?: 'observe';
  conclusion: Conclusion;
  exitCode: number;
  /** one sentence: where conclusion is `error`, what was attempted and the remedy; where it is `cancelled` by no signal, why */
  error?: string;
  /** only where inputs were refused for more than one reason: each of them, which `error` has in one sentence */
  problems?: string[];
  startedAt: string;
  /** only where the command was started: what the seconds of `samples` are counted from */
  commandStartedAt?: string;
  wallSeconds: number;
  /** `runner`, or the reference as it was given */
  image: string;
  /** of an image the engine has: `NAME@sha256:…` as its registry knows it, or else its ID */
  imageDigest?: string;
  /** only where one was saved: its name, and the engine's ID of the image that it is */
  snapshot?: { name: string; digest: string };
  /** the container runtime, as it was asked for: `runc` is the engine's default one */
  runtime?: string;
  limits: Limits;
  /** only where ports of the sandbox were open to the host, without their tokens */
  exposed?: ExposedPort[];
  /** only where there were any, in their order */
  services?: ServiceReport[];
  /** only where the start-up canary held: without it the command does not start. Milliseconds it took, beside the rest of the start; `waitedMs`: before the start, for others' */
  startup?: { canaryMs: number; waitedMs?: number };
  /** `storageFull`: only where the disk was full at some time; `filesFull`: only where it had bytes left, but no room for one more file */
  usage: ResourceUsage & { network: NetworkUsage; storageFull?: true; filesFull?: true };
  secrets: SecretTotals[];
  blocked: BlockedGroup[];
  /** only with `mode: observe`: requests and connections that the rules would have refused */
  observed?: BlockedGroup[];
  /** only where there are any: requests and connections that were let through and failed at the upstream; not among the blocked ones */
  failed?: BlockedGroup[];
  /** what was asked for and may be allowed, as rules write it: what `decoy suggest` reads. Always there in what this version writes */
  requests?: AskedRequest[];
  samples: Sample[];
  changes: Changes;
};
