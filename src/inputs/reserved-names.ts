import { trustEnvironment } from '../trust/environment.ts';

/**
 * Variables that tell programs where things are, how to start, or whom to trust: those Decoy sets itself, and those of loaders, shells and
 * language runtimes. A placeholder in one of them breaks the command in ways nobody would trace back to a secret. As `env` they can be set.
 * ld.so(8), bash(1), POSIX.1-2024 XBD 8.3, and the manuals of Node.js, Python, Perl, Ruby, Java.
 */
const RESERVED: ReadonlySet<string> = new Set([
  'PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'CI', 'PWD', 'OLDPWD', 'TMPDIR', 'TERM', 'TZ', 'LANG', 'LANGUAGE', 'IFS', 'ENV', 'BASH_ENV', 'SHELLOPTS', 'BASHOPTS', 'PS4', 'CDPATH', 'GLOBIGNORE',
  'NODE_OPTIONS', 'NODE_PATH', 'PYTHONPATH', 'PYTHONHOME', 'PYTHONSTARTUP', 'PERL5LIB', 'PERL5OPT', 'RUBYLIB', 'RUBYOPT', 'CLASSPATH', 'JAVA_HOME', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS', 'GOROOT',
  'GCONV_PATH', 'HOSTALIASES', 'LOCPATH', 'NLSPATH', 'MALLOC_TRACE', 'RES_OPTIONS', 'SSL_CERT_DIR',
  ...Object.keys(trustEnvironment({ bundle: '', authority: '', trustStore: '' })),
]);

const RESERVED_PREFIXES = ['LD_', 'LC_', 'BASH_FUNC_'];

/** Why a secret cannot have this name; null where it can. */
export function reservedNameProblem(name: string): string | null {
  if (!RESERVED.has(name) && !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))) return null;
  return `secret \`${name}\`: the variable ${name} has a meaning of its own for the programs inside, and a placeholder there would break them: give the secret another name, or pass what is not secret as \`env\``;
}
