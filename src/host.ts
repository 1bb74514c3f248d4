import path from 'node:path';
import type { Host } from './config.ts';
import { parseUpstreamProxies } from './inputs/parse-upstream-proxies.ts';
import type { RootFiles } from './proxy/roots.ts';
import { rootFileProblem } from './trust/root-file-problem.ts';
import { snapshotPlace } from './snapshots/snapshot-place.ts';
import { userDirectory } from './volumes/user-directory.ts';
import { systemRootFiles } from './trust/system-root-files.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of the host that are passed on: language, time zone, and where tools set up by earlier steps lie. */
const PASSED_ON = /^(LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|JAVA_HOME(_[0-9A-Za-z_]+)?|GOROOT(_[0-9A-Za-z_]+)?)$/;

/** What a run needs to know of this machine, from Decoy's own environment. */
export function describeHost(environment: Environment, distDirectory: string): Host {
  const temporary = environment['RUNNER_TEMP'];
  const hidden = [environment['HOME'], temporary, temporary === undefined ? undefined : path.dirname(path.dirname(temporary))];
  const { proxies, problems } = parseUpstreamProxies(environment);
  const { rootFiles, warnings } = describeRoots(environment);
  return {
    dockerHost: environment['DOCKER_HOST'],
    distDirectory,
    dockerConfigDirectory: environment['DOCKER_CONFIG'] || (environment['HOME'] ? path.join(environment['HOME'], '.docker') : undefined),
    volumesDirectory: userDirectory('volumes', environment),
    snapshots: snapshotPlace(environment),
    path: environment['PATH'] ?? '',
    toolCache: environment['RUNNER_TOOL_CACHE'] ?? environment['AGENT_TOOLSDIRECTORY'],
    hidden: hidden.filter((directory): directory is string => directory !== undefined && directory !== '/' && directory !== ''),
    runsc: { url: environment['DECOY_RUNSC_URL'] || undefined, sha512: environment['DECOY_RUNSC_SHA512'] || undefined, cacheDirectory: runscCache(environment) },
    upstreamProxies: proxies,
    upstreamRootFiles: rootFiles,
    problems,
    warnings,
    environment: Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (PASSED_ON.test(name) && value ? [[name, value]] : []))),
  };
}

/** The runner's tool cache, or a directory of the kind on other machines. */
function runscCache(environment: Environment): string {
  const cache = environment['XDG_CACHE_HOME'] || path.join(environment['HOME'] || '/var', environment['HOME'] ? '.cache' : 'cache');
  return environment['RUNNER_TOOL_CACHE'] || environment['AGENT_TOOLSDIRECTORY'] || path.join(cache, 'decoy');
}

/** SSL_CERT_FILE stands for the system's bundle, as it does for OpenSSL and Go. What cannot be used is only warned of: the run may need none of it. */
function describeRoots({ NODE_EXTRA_CA_CERTS: extra, SSL_CERT_FILE: system }: Environment): { rootFiles: RootFiles; warnings: string[] } {
  const problems = Object.entries({ NODE_EXTRA_CA_CERTS: extra, SSL_CERT_FILE: system }).flatMap(([variable, file]) => {
    const problem = file ? rootFileProblem(variable, file) : null;
    return problem === null ? [] : [{ variable, problem }];
  });
  return {
    rootFiles: { extra: extra ? [extra] : [], system: system ? [system] : systemRootFiles, unusable: problems.map(({ variable }) => variable) },
    warnings: problems.map(({ problem }) => problem),
  };
}
