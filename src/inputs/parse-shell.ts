import { quote } from '../policy/quote.ts';

/** The shells of GitHub's `shell:` with the options GitHub gives them (Workflow syntax, jobs.<job_id>.steps[*].shell). */
const SHELLS: Record<string, string> = {
  bash: 'bash --noprofile --norc -eo pipefail {0}',
  sh: 'sh -e {0}',
  python: 'python3 {0}',
  node: 'node {0}',
};

/**
 * Parses `shell`: a known name, or a command line with `{0}` where the script's path goes.
 * @param text empty: bash, or sh where there is no bash
 */
export function parseShell(
  text: string,
  options: { scriptPath: string; hasBash: boolean },
): { ok: true; value: string[] } | { ok: false; problem: string } {
  const line = SHELLS[text.trim() || (options.hasBash ? 'bash' : 'sh')] ?? text;
  const words = line.trim().split(/\s+/);
  if (!words.some((word) => word.includes('{0}'))) {
    return { ok: false, problem: `the shell ${quote(text)} is not known: use \`bash\`, \`sh\`, \`python\`, \`node\`, or a command line with \`{0}\` for the script's path` };
  }
  return { ok: true, value: words.map((word) => word.replaceAll('{0}', options.scriptPath)) };
}
