export type CheckName = 'no route' | 'names' | 'interception' | 'substitution' | 'scrubbing' | 'host binding' | 'blocking' | 'upstream certificates' | 'withdrawal';

/** Why the command is not started. `problem` is a clause, never made of anything a request or an answer held. */
export class CanaryError extends Error {
  constructor(check: CheckName, problem: string) {
    super(`the start-up canary failed at "${check}": ${problem}; the command was not started, as its network or its secrets would not have been safe. ${remedies[check]}`);
  }
}

const report = 'If it stays so, report it, with the versions of Decoy, the engine and the kernel.';

const remedies: Readonly<Record<CheckName, string>> = {
  'no route': `Look for what else gives containers of this machine a network (an engine plugin, a CNI, a runtime hook), and switch it off for \`--network none\`. ${report}`,
  names: `Look for what changes \`/etc/resolv.conf\` of containers on this machine: it must name 127.0.0.1 alone. ${report}`,
  interception: `Look in Decoy's own warnings for why its proxy ended, and whether something on this machine removes sockets from the temporary directory. ${report}`,
  substitution: report,
  scrubbing: report,
  'host binding': report,
  blocking: report,
  'upstream certificates': `Look for NODE_OPTIONS and NODE_EXTRA_CA_CERTS in the environment of Decoy. ${report}`,
  withdrawal: report,
};
