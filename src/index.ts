/** Decoy as a library: the same run the action and the command line are made of. */
export { run, type RunEvents, type RunOptions, type RunResult } from './run.ts';
export { clean, type Cleaned, type CleanOptions } from './clean.ts';
export type { Command, Host, RunConfig } from './config.ts';
export type { ExposeConfig, Exposed, ExposeRequest } from './expose/expose-request.ts';
export type { Report, Conclusion } from './report/report.ts';
export { parseInputs, type ParsedInputs } from './inputs/parse-inputs.ts';
export { loadPolicy } from './inputs/policy/load-policy.ts';
export { describeHost } from './host.ts';
