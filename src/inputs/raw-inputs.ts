/**
 * The inputs of the contract as text, whichever way they came: action inputs or command-line options.
 * An input that was not given is undefined or empty.
 */
export type RawInputs = {
  /** script text for the shell; not with `command` */
  run?: string | undefined;
  /** command and arguments, run without a shell; undefined where none can be given, as in the action */
  command?: readonly string[] | undefined;
  shell?: string | undefined;
  image?: string | undefined;
  allow?: readonly string[] | undefined;
  foreignCredentials?: string | undefined;
  env?: readonly string[] | undefined;
  policy?: string | undefined;
  timeout?: string | undefined;
  memory?: string | undefined;
  cpus?: string | undefined;
  storage?: string | undefined;
  pids?: string | undefined;
  workspace?: string | undefined;
  workingDirectory?: string | undefined;
  user?: string | undefined;
  runtime?: string | undefined;
  volumes?: readonly string[] | undefined;
  snapshotFrom?: string | undefined;
  snapshotTo?: string | undefined;
  mode?: string | undefined;
  resolve?: readonly string[] | undefined;
  clientCertificates?: readonly string[] | undefined;
  proxyLimits?: readonly string[] | undefined;
  expose?: readonly string[] | undefined;
  exposeFile?: string | undefined;
  /** those of a policy file */
  services?: readonly RawService[] | undefined;
  /** YAML, see readServicesText */
  servicesText?: string | undefined;
  /** the path of the file it stands in, if it does */
  servicesFile?: string | undefined;
  failOnBlocked?: string | undefined;
};

/** A service as it is written; `where`: FILE:LINE:COLUMN, and of its values, by key. */
export type RawService = {
  name: string; where: string; places?: Readonly<Record<string, string>>;
  /** something of it could not be read, which is told: nothing is said to be missing then */
  isPartial?: boolean;
  image?: string; env?: string[]; entrypoint?: string[]; command?: string[]; healthPort?: string; healthCommand?: string[]; healthTimeout?: string;
  memory?: string; cpus?: string; pids?: string; storage?: string; workspace?: string;
};
