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
  failOnBlocked?: string | undefined;
};
