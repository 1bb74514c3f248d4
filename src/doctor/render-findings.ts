import { printableSentence } from '../report/printable.ts';
import type { Finding } from './finding.ts';

const MAX_LENGTH = 2000;

export function isUsable(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'failed');
}

/** A line for each finding, one for each remedy, and a verdict. */
export function renderFindings(findings: readonly Finding[]): string[] {
  const statusWidth = Math.max(...findings.map(({ status }) => status.length));
  const checkWidth = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(statusWidth + checkWidth + 4);
  const lines = findings.flatMap(({ check, status, detail, remedy }) => [
    `${status.padEnd(statusWidth)}  ${check.padEnd(checkWidth)}  ${printableSentence(detail, MAX_LENGTH)}`,
    ...(remedy === undefined ? [] : [`${indent}> ${remedy}`]),
  ]);
  return [...lines, '', verdict(findings)];
}

function verdict(findings: readonly Finding[]): string {
  if (!isUsable(findings.filter(({ check }) => check !== 'runtime'))) return 'Decoy cannot run here: see what failed.';
  if (!isUsable(findings)) return 'Decoy runs here, but not with this runtime: see what failed.';
  return findings.every(({ status }) => status === 'ok') ? 'Decoy runs here.' : 'Decoy runs here, with what is limited or unknown above.';
}
