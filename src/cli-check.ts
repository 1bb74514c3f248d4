import os from 'node:os';
import { parseArguments } from './cli-arguments.ts';
import { fail } from './cli-fail.ts';
import { currentDirectory } from './current-directory.ts';
import { explainSecrets } from './cli-explain-secrets.ts';
import { judgeDestination, judgeMethod } from './cli-judge.ts';
import { printUsage } from './cli-usage.ts';
import { warn } from './cli-warn.ts';
import { parseChoice } from './inputs/parse-choice.ts';
import { parseDestinations } from './inputs/parse-destinations.ts';
import { locateProblems } from './inputs/policy/locate-problem.ts';
import { loadPolicy } from './inputs/policy/load-policy.ts';
import { mergeInputs } from './inputs/policy/merge-inputs.ts';
import { parseSecretBindings } from './inputs/parse-secrets.ts';
import { compilePolicy } from './policy/compile-policy.ts';
import { normaliseHost } from './policy/normalise-host.ts';
import type { Endpoint, Question, Verdict } from './policy/policy.ts';
import { quote } from './policy/quote.ts';
import { FOREIGN_CREDENTIALS } from './secrets/foreign-credentials.ts';

const OPTIONS = {
  allow: { takes: 'many', example: 'api.example.com' },
  policy: { takes: 'one', example: '.github/decoy.yml' },
  secret: { takes: 'many', example: 'NAME@api.example.com' },
  resolve: { takes: 'many', example: 'db.example.com:443:10.0.0.5' },
  'foreign-credentials': { takes: 'one', example: 'block' },
} as const;

/**
 * `decoy check [--policy FILE] [--allow RULE]… [--secret NAME@host]… [--resolve …]… [--foreign-credentials …] [METHOD] URL…`: a line for each URL, of which
 * `tcp://host:port` is one, and below it one for each secret, where the URL is allowed; exit 0 where all are allowed, 1 where one is blocked, 125 for arguments or a policy file that cannot be used. Nothing is looked up or connected to.
 * Lines of `resolve` that nothing leads to are warned of, on standard error, as by a run.
 */
export async function checkCommand(args: string[]): Promise<number> {
  const { help, values, words, command, problems } = parseArguments(args, { verb: 'check', options: OPTIONS });
  if (help) return printUsage('check');
  const policyFile = await loadPolicy(values.policy?.[0], { workspacePath: currentDirectory(), environment: process.env });
  const { allow, resolve, foreignCredentials: foreign, mode } = mergeInputs(policyFile.inputs, { allow: values.allow, resolve: values.resolve, foreignCredentials: values['foreign-credentials']?.[0] });
  const secrets = parseSecretBindings(values.secret ?? [], policyFile.bindings);
  const destinations = parseDestinations({ allow, resolve }, { bindings: secrets.bindings });
  const foreignCredentials = foreign === undefined ? null : parseChoice(foreign, FOREIGN_CREDENTIALS);
  if (foreignCredentials?.ok === false) problems.push(`foreign-credentials: ${foreignCredentials.problem}`);
  const { method, texts } = splitMethod([...words, ...command ?? []]);
  const questions = texts.flatMap((text) => parseQuestion(text, { method, problems }));
  if (texts.length === 0) problems.push('nothing to check: write `decoy check --allow RULE https://host/path`');
  problems.push(...policyFile.problems, ...destinations.problems, ...(policyFile.problems.length === 0 ? secrets.problems : []));
  if (problems.length > 0) return fail(locateProblems(problems, policyFile));
  for (const warning of [...policyFile.warnings, ...destinations.warnings]) warn(warning);
  if (mode === 'observe') warn('the policy says mode: observe, so a run with it would let through what is blocked here by a rule');
  const policy = compilePolicy({ rules: destinations.rules, bindings: secrets.bindings });
  const ownAddresses = Object.values(os.networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
  const explained = { secrets: secrets.bindings, foreignCredentials: foreignCredentials?.ok ? foreignCredentials.value : null };
  const verdicts = questions.map((question) => ({ question, verdict: judge(question) }));
  for (const { question, verdict } of verdicts) {
    process.stdout.write(`${questions.length > 1 ? `${render(question)}: ` : ''}${verdict.allowed ? `allowed by ${verdict.rule}` : `blocked: ${verdict.reason}; ${verdict.remedy}`}\n`);
    if (verdict.allowed) process.stdout.write(explainSecrets(question, explained).map((line) => `  ${line}\n`).join(''));
  }
  return verdicts.every(({ verdict }) => verdict.allowed) ? 0 : 1;

  /** As a run does: first the method, then the rules, then what stands behind the host. */
  function judge(question: Checked): Verdict {
    const verdict = question.scheme === 'tcp' ? policy.decideTcp(question) : judgeMethod(question.method) ?? policy.decide(question);
    return verdict.allowed ? judgeDestination(question, { resolve: destinations.resolve, ownAddresses }) ?? verdict : verdict;
  }
}

function splitMethod(words: readonly string[]): { method: string; texts: readonly string[] } {
  const [first = '', ...rest] = words;
  return /^[A-Za-z][A-Za-z-]*$/.test(first) && rest.length > 0 ? { method: first, texts: rest } : { method: 'GET', texts: words };
}

/** A request, or a raw connection. */
type Checked = Question | (Endpoint & { scheme: 'tcp' });

function parseQuestion(text: string, { method, problems }: { method: string; problems: string[] }): Checked[] {
  if (/^tcp:/i.test(text)) return parseEndpoint(text, problems);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    problems.push(`${quote(withoutSecrets(text))} is not a URL to check: ${meantUrl(text)}`);
    return [];
  }
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  return [{ scheme, host: normaliseHost(url.hostname) ?? url.hostname, port: Number(url.port) || (scheme === 'https' ? 443 : 80), method, path: url.pathname }];
}

function meantUrl(text: string): string {
  const [, rest = text] = /^wss?:\/\/(.*)$/is.exec(text) ?? [];
  const url = `http${/^ws:/i.test(text) ? '' : 's'}://${rest}`;
  if (/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+(?:[:/?].*)?$/i.test(rest) && URL.canParse(url)) return `write ${quote(withoutSecrets(url))}`;
  if (/^[A-Z]+(?:,[A-Z]+)*$/.test(text)) return 'write one method, and a URL behind it, as in `POST https://api.example.com/v1/models`';
  return `write one such as \`https://api.example.com/v1/models\`${/:\d{5,}/.test(text) ? ', with a port of at most 65535' : ''}`;
}

/** What stands before an `@` or behind a `?` may be one. */
function withoutSecrets(text: string): string {
  return text.replace(/\/\/.*@/s, '//…@').replace(/\?.*$/s, '?…');
}

/** Not by `URL`, which knows nothing of the host of such a scheme. */
function parseEndpoint(text: string, problems: string[]): Checked[] {
  const [, hostText = '', port = ''] = /^tcp:\/\/([^/?#@:]+):([1-9][0-9]{0,4})\/?$/i.exec(text) ?? [];
  const host = normaliseHost(hostText);
  if (host !== null && Number(port) <= 65_535) return [{ scheme: 'tcp', host, port: Number(port) }];
  problems.push(`${quote(withoutSecrets(text))} is not a raw connection to check: write one such as \`tcp://db.example.com:5432\``);
  return [];
}

/** Without the query and what stands before an `@`: either may hold a secret. */
function render(question: Checked): string {
  if (question.scheme === 'tcp') return `tcp://${question.host}:${question.port}`;
  const { scheme, host, port, method, path } = question;
  const authority = `${host.includes(':') ? `[${host}]` : host}${port === (scheme === 'https' ? 443 : 80) ? '' : `:${port}`}`;
  return `${method} ${scheme}://${authority}${path}`;
}
