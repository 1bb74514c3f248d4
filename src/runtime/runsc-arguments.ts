/**
 * What Decoy registers gVisor with. The network is that of the joined namespace, which leads to the gateway alone; without the argument
 * gVisor would have one of its own, which leads nowhere. No Unix socket and no named pipe of the host can be opened; both are the default. What
 * is written goes straight to the sandbox's disk, where it is capped and read, and to no file or memory of gVisor's own.
 */
export const RUNSC_ARGUMENTS: readonly string[] = ['--network=host', '--host-uds=none', '--host-fifo=none', '--overlay2=none'];

/** Arguments of somebody else's registration that would undo what Decoy promises, with the reason; flags.go of gVisor has them all. */
const HARMFUL: readonly [pattern: RegExp, reason: string][] = [
  [/^host-uds=(?!none$)/, 'lets the sandbox use Unix sockets of the host'],
  [/^fsgofer-host-uds(=(?!false$)|$)/, 'lets the sandbox use Unix sockets of the host'],
  [/^host-fifo=(?!none$)/, 'lets the sandbox use named pipes of the host'],
  [/^ignore-cgroups(=(?!false$)|$)/, 'takes the caps away'],
  [/^overlay2=(?!none$|root:)/, 'keeps what is written away from the capped disk'],
  [/^overlay(=(?!false$)|$)/, 'keeps what is written away from the capped disk'],
  [/^allow-flag-override(=(?!false$)|$)/, 'lets a container choose its arguments'],
  [/^TESTONLY-unsafe-nonroot(=(?!false$)|$)/, 'takes the isolation away'],
  [/^profile(=(?!false$)|$)/, 'loosens gVisor\'s own filter'],
];

/** What is wrong with the arguments of a registered gVisor, a clause each; empty where they will do. */
export function findHarmfulArguments(given: readonly string[]): string[] {
  const flags = joinValues(given);
  const missing = flags.findLast((flag) => flag.startsWith('network=')) === 'network=host' ? [] : ['`--network=host` is missing, so the sandbox would have a network of its own'];
  return [...missing, ...flags.flatMap((flag) => HARMFUL.filter(([pattern]) => pattern.test(flag)).map(([, reason]) => `\`--${flag}\` ${reason}`))];
}

/** `--name value` and `-name=value` are `--name=value`, too (https://pkg.go.dev/flag). */
function joinValues(given: readonly string[]): string[] {
  const flags: string[] = [];
  for (const word of given) {
    if (word.startsWith('-')) flags.push(word.replace(/^--?/, ''));
    else if (flags.length > 0) flags.push(`${flags.pop()}=${word}`);
  }
  return flags;
}

/** The remedy where an engine gives it others. */
export const CORRECT_ARGUMENTS = `set ${JSON.stringify({ runtimeArgs: RUNSC_ARGUMENTS })} for it in daemon.json and run \`sudo systemctl reload docker\``;
