import type { HttpRule, TcpRule } from '../policy/policy.ts';
import { printableSentence } from './printable.ts';
import { renderBytes, renderCount, renderNumber, renderSeconds } from './quantities.ts';
import type { Limits } from './report.ts';

/** What a run was given, as far as a reader of its log wants to know it. */
export type Plan = {
  image: string; runtime: string; limits: Limits; mode: 'enforce' | 'observe'; rules: readonly (HttpRule | TcpRule)[]; secrets: readonly { name: string; hostTexts: readonly string[] }[];
};

const MAX_ROWS = 20;
const MAX_LENGTH = 300;

/** One line each; they are the workflow's own words, and no secret's value is among them. */
export function describePlan({ image, runtime, limits, mode, rules, secrets }: Plan): string[] {
  const { cpus, memoryBytes, storageBytes, pids, wallSeconds } = limits;
  const network = mode === 'observe' ? 'any public host, as the mode is observe' : renderCount(rules.length, 'rule');
  return [
    `image: ${image}${runtime === 'runc' ? '' : `, on ${runtime}`}`,
    `limits: ${renderCount(cpus, 'CPU')}, ${renderBytes(memoryBytes)} of memory, ${renderBytes(storageBytes)} of disk, ${renderNumber(pids)} processes, ${renderSeconds(wallSeconds)}`,
    `network: ${network}, ${renderCount(secrets.length, 'secret')}`,
    ...rows(rules.map(({ text }) => `allowed: ${text}`)),
    ...rows(secrets.map(({ name, hostTexts }) => `secret ${name}: for ${hostTexts.join(', ')}`)),
  ].map((line) => printableSentence(line, MAX_LENGTH));
}

function rows(lines: readonly string[]): string[] {
  return lines.length <= MAX_ROWS ? [...lines] : [...lines.slice(0, MAX_ROWS), `and ${renderNumber(lines.length - MAX_ROWS)} more`];
}
