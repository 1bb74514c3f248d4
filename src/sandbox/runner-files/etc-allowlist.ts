/**
 * What of the runner's /etc a sandbox may see: nothing that is not named here. A pattern is a path below /etc whose
 * parts may hold `*`; a directory stands for everything in it. What is written anew for each sandbox (passwd,
 * resolv.conf, …) is not here, see written-files.ts.
 *
 * Left out on purpose, though harmless-looking: `environment` and `profile.d` (where CI images put tokens and proxies with
 * passwords), `maven/settings.xml`, `npmrc`, `pip.conf`, `wgetrc`, `apt/auth.conf*` (credentials), `pam.d`, `sudoers*`, `ssh`.
 */
export const etcAllowlist: readonly string[] = [
  // shells and terminals
  'shells', 'bash.bashrc', 'profile', 'inputrc', 'terminfo', 'skel', 'login.defs', 'adduser.conf', 'issue',
  // the dynamic loader and the alternatives links that /usr/bin points through
  'ld.so.conf', 'ld.so.conf.d', 'ld.so.cache', 'alternatives',
  // time and language
  'localtime', 'timezone', 'locale*', 'default/locale',
  // names of the system
  'os-release', 'debian_version', 'lsb-release', 'redhat-release', 'fedora-release', 'system-release', 'alpine-release',
  // databases of names
  'protocols', 'services', 'ethertypes', 'rpc', 'networks', 'host.conf', 'gai.conf', 'iproute2', 'mime.types', 'magic', 'magic.mime', 'xattr.conf',
  'mke2fs.conf',
  // certificates
  'ssl/openssl.cnf', 'ssl/certs', 'ssl/cert.pem', 'ca-certificates*', 'crypto-policies', 'pki/tls/openssl.cnf', 'pki/tls/certs',
  'pki/ca-trust/extracted',
  // languages whose installations in /usr link into /etc
  'java*', '.java', 'python*', 'perl', 'R/Makeconf', 'R/Renviron', 'R/ldpaths', 'R/repositories', 'maven/m2.conf', 'maven/logging',
  'php/*/cli', 'php/*/mods-available', 'ruby', 'dotnet',
  // documents
  'fonts', 'xml', 'sgml', 'groff',
  // packages
  'dpkg', 'apt/sources.list', 'apt/sources.list.d', 'apt/trusted.gpg', 'apt/trusted.gpg.d', 'apt/keyrings', 'apt/preferences',
  'apt/preferences.d', 'apt/apt.conf', 'apt/apt.conf.d',
];
