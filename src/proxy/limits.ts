/** What the sandbox may ask of the proxy; each bounds memory, descriptors or upstreams' patience. */
export type ProxyLimits = {
  /** of the head of one request */
  headerBytes: number;
  /** how long a kept-alive connection may wait for its next request */
  idleMs: number;
  /** open at once; each costs two file descriptors and some tens of kilobytes */
  connections: number;
  /** under way at once, on all connections; each holds memory of the process that has the secrets */
  requestsRunning: number;
  /** let through in any minute; null: any number */
  requestsPerMinute: number | null;
  /** held at once for all that is under way */
  memoryBytes: number;
};

export const defaultProxyLimits: ProxyLimits = {
  headerBytes: 64 << 10,
  idleMs: 75_000,
  // More than a busy package manager or browser opens.
  connections: 1_024,
  // As many as the gateway lets connections in.
  requestsRunning: 4_096,
  requestsPerMinute: null,
  // Some 30 of brotli's usual windows, or 1,600 bodies in gzip.
  memoryBytes: 256 << 20,
};
