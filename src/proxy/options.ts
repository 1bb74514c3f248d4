import type { Policy, ResolveEntry } from '../policy/policy.ts';
import type { AuditEntry } from '../report/audit-entry.ts';
import type { CompiledSecrets } from '../secrets/compile-secrets.ts';
import type { Authority } from '../trust/authority.ts';
import type { DialTimeouts } from './dial.ts';
import type { ProxyLimits } from './limits.ts';
import type { RateLimit } from './rate-limit.ts';
import type { RootFiles } from './roots.ts';
import type { ClientCertificate } from './upstream-contexts.ts';
import type { UpstreamProxies } from './upstream-proxy.ts';

/** Everything the proxy needs to know; it asks nothing of the environment but the clock, DNS and the network. */
export type ProxyOptions = {
  /** pathname of the Unix socket to listen on; created with mode 0600, must not exist */
  socketPath: string;
  policy: Policy;
  secrets: CompiledSecrets;
  /** the only way to reach a private address */
  resolve: readonly ResolveEntry[];
  authority: Authority;
  /** addresses of this host: refused as destinations although they may be public */
  ownAddresses: readonly string[];
  /** PEM roots trusted for upstreams besides Node's own and those of `upstreamRootFiles` */
  upstreamCertificates?: readonly string[] | undefined;
  upstreamRootFiles?: RootFiles | undefined;
  /** shown to the hosts they are for, over TLS */
  clientCertificates?: readonly ClientCertificate[] | undefined;
  /** the proxies of this host's network; none: every connection is direct */
  upstreamProxies?: UpstreamProxies | null | undefined;
  limits?: Partial<ProxyLimits> | undefined;
  /** counts in the place of one made of `limits` */
  rate?: RateLimit;
  upstreamTimeouts?: Partial<DialTimeouts>;
  /** every address of a name, rejecting where it has none; by default what this host's resolver says */
  resolveName?(host: string): Promise<string[]>;
  /** hosts whose certificate only the given authority (PEM) can vouch for */
  pinnedAuthorities?: readonly { host: string; certificatePem: string }[];
  /** called once a request or refused connection, when it is over */
  onEntry(entry: AuditEntry): void;
  /** one sentence about something the user should know; never holds anything a request said */
  onWarning?(text: string): void;
};
