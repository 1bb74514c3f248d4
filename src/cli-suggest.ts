import { parseArguments } from './cli-arguments.ts';
import { fail } from './cli-fail.ts';
import { printUsage } from './cli-usage.ts';
import { warn } from './cli-warn.ts';
import { readRequests } from './read-requests.ts';
import { OTHER_HOSTS } from './report/other-hosts.ts';
import { renderAllowBlock } from './report/render-allow-block.ts';
import { suggestAllow } from './report/suggest-allow.ts';

const OPTIONS = { 'policy-file': { takes: 'nothing' }, 'wildcard-hosts': { takes: 'nothing' } } as const;

/** `decoy suggest [--policy-file] [--wildcard-hosts] FILE…`: the smallest allow list for what the runs of these reports and audit logs asked for, as YAML. */
export function suggestCommand(args: string[]): number {
  const { help, values, words, command, problems } = parseArguments(args, { verb: 'suggest', options: OPTIONS });
  if (help) return printUsage('suggest');
  const files = [...words, ...command ?? []];
  if (files.length === 0) problems.push('nothing to read: write `decoy suggest report.json`, or the path of an audit log');
  const read = files.map((file) => readRequests(file));
  problems.push(...read.flatMap((each) => each.problems));
  if (problems.length > 0) return fail(problems);
  const requests = read.flatMap((each) => each.requests);
  for (const warning of read.flatMap((each) => each.warnings)) warn(warning);
  const left = requests.filter(({ host }) => host === OTHER_HOSTS).reduce((sum, { count }) => sum + count, 0);
  if (left > 0) warn(`${left} requests are not in the list, as there were too many kinds to tell: give the audit log in place of the report, or several shorter runs`);
  const asPolicy = values['policy-file'] !== undefined;
  const rules = suggestAllow(requests, { wildcardHosts: values['wildcard-hosts'] !== undefined });
  process.stdout.write(`${[...asPolicy ? ['# yaml-language-server: $schema=https://raw.githubusercontent.com/owner/decoy/version/schema/policy.schema.json'] : [], ...renderAllowBlock(rules, { asPolicy })].join('\n')}\n`);
  return 0;
}
