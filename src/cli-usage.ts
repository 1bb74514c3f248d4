/** Prints the whole page, or what concerns one verb. Returns the exit code. */
export function printUsage(verb?: string): number {
  process.stdout.write(usage(verb));
  return 0;
}

function usage(verb?: string): string {
  const isMeant = (part: { verb: string }) => verb === undefined || part.verb === verb;
  const commands = COMMANDS.filter(isMeant).map(({ text }) => `  ${text}`).join('\n');
  return `${[ABOUT, commands, ...SECTIONS.filter(isMeant).map(({ text }) => text)].slice(verb === undefined ? 0 : 1).join('\n\n')}\n`;
}

const ABOUT = 'decoy runs code you do not trust without giving it a single real credential.';

const COMMANDS: readonly { verb: string; text: string }[] = [
  { verb: 'run', text: 'decoy run [options] -- COMMAND…    run a command in the capped container' },
  { verb: 'run', text: 'decoy run [options] --script FILE  run a script' },
  { verb: 'demo', text: 'decoy demo                         see what it does, in ten seconds' },
  { verb: 'doctor', text: 'decoy doctor [options]             what this machine can do for a run, what it cannot, and why' },
  { verb: 'check', text: 'decoy check [options] [METHOD] URL…  would these rules allow these URLs, and why; which secrets go there' },
  { verb: 'report', text: 'decoy report report.json [audit.jsonl] [--patch FILE] [--output FILE] [--open]   the report as a page, in one HTML file' },
  { verb: 'suggest', text: 'decoy suggest [options] FILE…      the smallest allow list for what these reports and audit logs asked for, as YAML' },
  { verb: 'clean', text: 'decoy clean [--run ID] [--images]  remove what a killed run left behind' },
  { verb: 'volumes', text: 'decoy volumes [list | remove NAME…]  the volumes there are; remove some' },
  { verb: 'snapshots', text: 'decoy snapshots [list | remove NAME…]  the same for snapshots' },
  { verb: '--version', text: 'decoy --version                    its version' },
];

/** In the order of the page. */
const SECTIONS: readonly { verb: string; text: string }[] = [
  {
    verb: 'run',
    text: `Options of run
  --policy FILE[#PROFILE]  a YAML file for all of these; lists are united, a single value given here beats the file's
  --mode enforce           or observe: nothing is blocked by --allow, everything is told, and a list is proposed
  --allow RULE             [METHOD[,METHOD…] ]host | *.host | **.host [:port] [/path/**], or tcp://host:port; repeat
  --secret 'NAME@host[,…][;in=PLACE[,…]][;max=N]'   the value of Decoy's environment variable NAME may go to these hosts; NAME alone where the policy file binds it; repeat
                           PLACE: credentials (default), header:NAME, query:KEY, path, body, body:FIELD; or for a key that only signs aws-sigv4, jwt, hmac-sha256:HEADER; max: how often in each
  --foreign-credentials allow   or strip or block: other credential headers on these hosts
  --env NAME=value         a variable, not secret; repeat
  --resolve host:port:address[:port]   dial this address, even a private one; repeat
  --client-certificate HOST=CERT_FILE,KEY_FILE   shown to this host; PEM, from where the sandbox does not see it; repeat
  --timeout 30m            at most 30m
  --memory 4g  --cpus 2  --storage 10g  --pids 2048   hard caps
  --proxy-limit NAME=VALUE   header-bytes, idle, connections, requests-running, requests-per-minute or memory; repeat
  --workspace copy         copy (changes come out as a patch), write (and are then written to the workspace), read-only or none
  --working-directory DIR  where the command starts; by default the workspace
  --user runner            runner or root (in-container root with few capabilities)
  --image runner           runner (this machine's own tools) or an image, as debian:12: one the engine has, or else pulled with your docker login
  --volume name:/path[:2g][:ro]   a disk of this size that is kept from run to run; repeat
  --snapshot-to NAME       save the file system of an image's sandbox; --snapshot-from NAME starts from it
  --runtime runc           runc (the engine's default one), runsc (gVisor, fetched where the engine has none) or another one the engine has
  --shell bash             for --script: bash, sh, python, node, or a line with {0}
  --expose 8080            this port of the sandbox for the host: HTTP on 127.0.0.1 with a token; 3000:8080 on port 3000, /path/of.sock:5432 as a Unix socket; repeat
  --expose-file FILE       where these ports are, with their tokens, as JSON: there while they are open
  --services FILE          containers beside the sandbox, up before the command starts: YAML, as docs/services.md says; --service-log FILE gets what they print
  --fail-on-blocked        exit with 1 where the command succeeded and something was blocked
  --report FILE  --audit-log FILE  --patch FILE  --html FILE   what to write; each is emptied at the start
  --quiet                  no status line, and no summary after success, except in observe mode
  --timings                where the time went: a line for each stage on stderr, in milliseconds`,
  },
  {
    verb: 'run',
    text: `What the command gets
  The workspace is the current directory. Standard input is empty.
  Of the environment only PATH (what the sandbox has of it), LANG, LANGUAGE, LC_*, TZ, TERM, JAVA_HOME* and GOROOT* are passed on;
  everything else by --env, and what is secret by --secret. With an image, only TERM and TZ, on top of which comes what the image sets.`,
  },
  {
    verb: 'check',
    text: `Options of check
  --policy FILE[#PROFILE]  as for run: its rules and all its secrets
  --allow RULE  --secret NAME@host[,…][;…]  --resolve host:port:address[:port]   as for run; of a secret no value is needed; repeat
  --foreign-credentials allow   as for run
  METHOD is GET unless it is given, and case-sensitive; a URL may also be tcp://host:port. Below an allowed URL a line for each secret says where it is swapped.
  Names are not looked up: one that leads to a private address is only refused by a run.
  Exit codes: 0 all are allowed; 1 one is blocked; 125 arguments or a policy file that cannot be used.`,
  },
  {
    verb: 'doctor',
    text: `Options of doctor
  --json                   {"version":1,"ok":…,"findings":[{"check","status","detail","remedy"}…]} instead of lines
  --runtime NAME           whether a run goes in this runtime, too: does the engine have it, where would it come from, does it start a container
  Exit codes: 0 a run goes here, and in that runtime; 1 none does; 125 arguments that cannot be used.`,
  },
  {
    verb: 'report',
    text: `Options of report
  --patch FILE             the run's patch, for the list of files changed
  --output FILE            where to; by default beside report.json, as report.html
  --open                   and open it in the browser`,
  },
  {
    verb: 'suggest',
    text: `Options of suggest
  --policy-file            a policy file in place of the input of a workflow
  --wildcard-hosts         **.example.com for three or more names below example.com`,
  },
  {
    verb: 'clean',
    text: `Options of clean
  --run ID                 only this run, even if it still goes on: \`id\` in its report, or its label decoy.run in docker ps
  --images                 the image all containers start from, too`,
  },
  {
    verb: 'run',
    text: `Exit codes of run: the command's own; 1 also with --fail-on-blocked, see there; 124 timeout; 125 Decoy or its configuration failed;
137 out of memory; 130, 143 cancelled.`,
  },
];
