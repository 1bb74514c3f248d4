import type { Output } from './output.ts';
import { describePlan, type Plan } from './report/describe-plan.ts';
import { createProgressLines } from './report/progress-lines.ts';
import { printableSentence } from './report/printable.ts';
import { renderSeconds } from './report/quantities.ts';
import type { Report } from './report/report.ts';
import type { RunPart } from './run.ts';

/** A run's part of a step's log on GitHub, in the order of the run: a group for what goes before the command, its output in none, a group for the result. */
export type StepLog = {
  say(line: string | null): void;
  stage(text: string, part: RunPart): void;
  progress(task: string, state: string | null): void;
  /** Ends whatever is open, and gives the result; `summary` may name what the sandbox chose. */
  result(report: Report, summary: string): void;
  /** Ends whatever is open. Safe to call twice. */
  close(): void;
};

const MAX_LENGTH = 1000;

/**
 * Groups are Decoy's alone. They are opened and closed where the runner obeys: before the output's silence begins and after it has ended. Groups of
 * GitHub's do not nest (github.com/actions/runner/issues/802), so what the sandbox prints stands in none, where it is not folded away either.
 */
export function openStepLog(output: Output, plan: Plan): StepLog {
  const progressLines = createProgressLines();
  let group = false;
  const say = (line: string | null) => {
    if (line !== null) output.note(`Decoy: ${printableSentence(line, MAX_LENGTH)}`);
  };
  const closeGroup = () => {
    if (group) output.note('::endgroup::');
    group = false;
  };
  const openGroup = (title: string) => {
    closeGroup();
    // A title is a command's data, in which `%` begins an escape (docs.github.com, Workflow commands).
    output.note(`::group::Decoy: ${printableSentence(title, MAX_LENGTH).replaceAll('%', '%25')}`);
    group = true;
  };
  const close = () => {
    output.release();
    closeGroup();
  };
  openGroup('prepare');
  describePlan(plan).forEach(say);
  return {
    say,
    stage(text, part) {
      if (part === 'command') closeGroup();
      say(text);
      if (part === 'command') output.silence();
    },
    progress: (task, state) => say(progressLines.next({ task, state, atMs: performance.now() })),
    result(report, summary) {
      close();
      openGroup(`result: ${report.conclusion}, exit ${report.exitCode} after ${renderSeconds(report.wallSeconds)}`);
      output.silence();
      output.note(summary);
      close();
    },
    close,
  };
}
