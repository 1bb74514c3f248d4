import type { ExposeConfig } from './expose/expose-request.ts';
import type { ResolveEntry, Rule } from './policy/policy.ts';
import type { ProxyLimits } from './proxy/limits.ts';
import type { RootFiles } from './proxy/roots.ts';
import type { ClientCertificate } from './proxy/upstream-contexts.ts';
import type { UpstreamProxies } from './proxy/upstream-proxy.ts';
import type { Limits } from './report/report.ts';
import type { ImageReference } from './sandbox/image/parse-reference.ts';
import type { RunscSource } from './runtime/runsc-source.ts';
import type { ForeignCredentials } from './secrets/foreign-credentials.ts';
import type { VolumeRequest } from './sandbox/named-volumes.ts';
import type { SnapshotPlace } from './snapshots/snapshot-place.ts';
import type { ServiceRequest } from './services/service-request.ts';
import type { SecretBinding } from './secrets/secret.ts';

/**
 * What to run: a program with its arguments, or a script and the shell line it is given to. `fallbackShell` is for an image that does not
 * have the first word of the other.
 */
export type Command = { kind: 'argv'; argv: readonly string[] } | { kind: 'script'; text: string; shell: readonly string[]; fallbackShell?: readonly string[] };

/** One run, checked: nothing in it can be refused any more but by the machine. */
export type RunConfig = {
  command: Command;
  /** the runner's own tools, or an image */
  image: 'runner' | ImageReference;
  rules: readonly Rule[];
  /** `observe`: what the rules do not allow is told and let through; `enforce` where it is not given */
  mode?: 'enforce' | 'observe';
  secrets: readonly SecretBinding[];
  foreignCredentials: ForeignCredentials;
  resolve: readonly ResolveEntry[];
  clientCertificates?: readonly ClientCertificate[];
  env: Readonly<Record<string, string>>;
  limits: Limits;
  proxyLimits?: ProxyLimits;
  workspace: { mode: 'copy' | 'write' | 'read-only' | 'none'; path: string };
  /** a snapshot in place of the image; `digest`: the only one that will do, else null */
  snapshotFrom?: SnapshotRequest | null;
  /** name to save the sandbox's file system under; needs an image or a snapshot */
  snapshotTo?: string | null;
  /** in the order they are locked in */
  volumes?: readonly VolumeRequest[];
  /** absolute; null: the workspace, or the home directory where there is none */
  workingDirectory: string | null;
  user: 'runner' | 'root';
  /** `runc`: the engine's default one. Others by the name the engine has for them; `runsc` is fetched and registered where it has none. */
  runtime?: string;
  failOnBlocked: boolean;
  /** further containers in the sandbox's network, up before the command starts */
  services?: readonly ServiceRequest[];
  /** ports of the sandbox for the host to reach while the command runs */
  expose?: ExposeConfig;
};

export type SnapshotRequest = { name: string; digest: string | null };

/** What a run needs to know of the machine it is on. */
export type Host = {
  /** a unix:// address, or undefined for the default */
  dockerHost?: string | undefined;
  /** directory of dist/, where the guest program lies */
  distDirectory: string;
  /** where this user's volumes are; null where that is not known */
  volumesDirectory?: string | null;
  /** where this user's snapshots are recorded, and which of them this run may have */
  snapshots?: SnapshotPlace;
  /** where this user's `docker login` keeps its logins */
  dockerConfigDirectory?: string | undefined;
  /** PATH of the runner; entries the sandbox does not have are left out of its own */
  path: string;
  /** the runner's tool cache, where there is one */
  toolCache?: string | undefined;
  /** directories that must never be visible: the runner's own, its temporary one, homes, the engine's data */
  hidden: readonly string[];
  /** PEM roots trusted for upstreams, besides Node's own and those of `upstreamRootFiles` */
  upstreamCertificates?: readonly string[];
  /** the machine's own roots, so that what curl trusts here is trusted, too */
  upstreamRootFiles?: RootFiles;
  /** the proxies of the machine's network; they may carry credentials */
  upstreamProxies?: UpstreamProxies | null;
  /** what the machine's environment says that cannot be used, a sentence each: a run refuses it */
  problems?: readonly string[];
  /** what it says that is of no use, though a run can be tried: a sentence each */
  warnings?: readonly string[];
  /** where gVisor is fetched from, and what it must be */
  runsc?: RunscSource;
  /** variables that are passed on as they are: language and time zone, tool locations */
  environment: Readonly<Record<string, string>>;
};
