import type { ServiceReport } from '../report/report.ts';
import type { ImageReference } from '../sandbox/image/parse-reference.ts';

/** A further container in the sandbox's network, checked. */
export type ServiceRequest = {
  /** its name for programs, too: it leads to 127.0.0.1 in the sandbox and in services */
  name: string;
  image: ImageReference;
  env: Readonly<Record<string, string>>;
  /** in place of the image's own; null: those */
  entrypoint: readonly string[] | null;
  command: readonly string[] | null;
  health: { kind: 'port'; port: number } | { kind: 'command'; argv: readonly string[] };
  healthSeconds: number;
  limits: { memoryBytes: number; cpus: number; pids: number; storageBytes: number };
  workspace: 'none' | 'read-only';
};

/** What becomes of a service, as far as the run has come. */
export type ServiceRecord = {
  name: string; image: string; imageDigest: string | null; limits: ServiceRequest['limits'];
  /** from its start until it was healthy; null where it never was */
  startSeconds: number | null;
  /** where it ended by itself before the run was over, else null */
  exitCode: number | null;
  usage: ServiceUsage | null;
  log: ServiceLog;
};

export type ServiceUsage = NonNullable<ServiceReport['usage']>;

export type ServiceLog = {
  add(bytes: Buffer): void;
  /** whole, with a mark before each line and without anything that a terminal or a runner would obey */
  render(): string;
  /** the last lines, for a sentence */
  lastWords(): string;
};
