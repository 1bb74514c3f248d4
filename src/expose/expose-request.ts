/** A port of the sandbox that the host is to reach, and how. */
export type ExposeRequest = {
  /** in the sandbox */
  port: number;
  /** `http`: on 127.0.0.1, at a port of the host's or, where it is null, one the system picks. `socket`: an absolute path */
  at: { kind: 'http'; hostPort: number | null } | { kind: 'socket'; path: string };
};

/** Ports to expose, and the file that tells where they are. */
export type ExposeConfig = {
  requests: readonly ExposeRequest[];
  /** written when the ports are open, for this user alone, and removed at the end; null: none */
  file: string | null;
};

/** An exposed port while it is open. The token is of this port and run alone; it goes as `authorization: Bearer TOKEN`, `x-decoy-token: TOKEN` or Basic credentials of any user. */
export type Exposed = { port: number; url: string; token: string } | { port: number; socket: string };
