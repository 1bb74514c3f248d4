import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

export const root = path.resolve(import.meta.dirname, '../..');
export const workflowDirectory = path.join(root, '.github', 'workflows');

export type Step = { uses?: string; run?: string; with?: Record<string, unknown>; env?: Record<string, string> };
export type Job = { uses?: string; steps?: Step[]; permissions?: Record<string, string>; needs?: string | string[]; 'timeout-minutes'?: number };
export type Workflow = { on: unknown; permissions?: unknown; jobs: Record<string, Job> };

export function readWorkflows(): Record<string, Workflow> {
  return Object.fromEntries(fs.readdirSync(workflowDirectory).map((name) => [name, parse(fs.readFileSync(path.join(workflowDirectory, name), 'utf8')) as Workflow]));
}
