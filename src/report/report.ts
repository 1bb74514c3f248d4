import type { RefusalReason } from '../policy/policy.ts';
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

export type HostUsage = {
  host: string; requests: number; blocked: number; requestBytes: number; responseBytes: number;
  substitutions: number; scrubs: number;
};

/** report.json, version 1. */
export type Report = {
  version: 1;
  id: string;
  conclusion: Conclusion;
  exitCode: number;
  /** one sentence, only when conclusion is `error`: what was attempted and the remedy */
  error?: string;
  startedAt: string;
  wallSeconds: number;
  image: string;
  limits: Limits;
  usage: ResourceUsage & {
    network: {
      requests: number; blocked: number; requestBytes: number; responseBytes: number; hosts: HostUsage[];
    };
  };
  secrets: { name: string; hosts: string[]; placeholderPrefix: string; substitutions: number; scrubs: number; refusals: number }[];
  blocked: { host: string; port: number | null; method: string | null; path: string | null; reason: RefusalReason; count: number; remedy: string }[];
  samples: Sample[];
  changes: { files: number; insertions: number; deletions: number };
};
