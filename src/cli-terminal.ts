import fs from 'node:fs';
import { progressLine } from './cli-warn.ts';
import { createProgressLines } from './report/progress-lines.ts';
import type { Limits } from './report/report.ts';
import { createStatusLine } from './report/status-line.ts';
import type { RunEvents } from './run.ts';
import { wantsColour, wantsStatus } from './terminal/look.ts';
import { openScreen, type Screen } from './terminal/screen.ts';

/** What `decoy run` shows on standard error while the run goes on. */
export type CliTerminal = {
  /** null where there is no status line */
  screen: Screen | null;
  /** Prints a line of Decoy's own. */
  line(text: string): void;
  events: Required<Pick<RunEvents, 'onStage' | 'onProgress' | 'onSample'>>;
  /** Takes the status line away. Safe to call twice. */
  close(): void;
};

export function openTerminal({ limits, quiet }: { limits: Limits; quiet: boolean }): CliTerminal {
  if (quiet || !wantsStatus({ stdout: { isPipe: isElsewhere() }, stderr: process.stderr }, process.env)) return withoutStatus();
  const screen = openScreen({ write: (text) => void process.stderr.write(text), columns: () => process.stderr.columns || 80 });
  const status = createStatusLine({ limits, colour: wantsColour(process.stderr, process.env) });
  const show = () => screen.status(isForeground() ? status.render : null);
  // Stopped, the last line is the shell's.
  const stop = () => {
    screen.status(null);
    process.kill(process.pid, 'SIGSTOP');
  };
  const resized = () => screen.resized();
  process.stderr.on('resize', resized);
  process.on('SIGTSTP', stop).on('SIGCONT', show);
  return {
    screen,
    line: (text) => screen.line(text),
    events: {
      onStage: (text) => {
        status.waiting(text);
        show();
      },
      onProgress: (task, state) => {
        status.waiting(state === null ? task : `${task}: ${state}`);
        show();
      },
      onSample: (sample) => {
        status.sample(sample);
        show();
      },
    },
    close: () => {
      process.stderr.off('resize', resized);
      process.off('SIGTSTP', stop).off('SIGCONT', show);
      screen.close();
    },
  };
}

function withoutStatus(): CliTerminal {
  const progress = createProgressLines();
  const line = (text: string) => void process.stderr.write(`${text}\n`);
  return {
    screen: null,
    line,
    events: {
      onStage() {},
      onProgress: (task, state) => {
        const next = progress.next({ task, state, atMs: performance.now() });
        if (next !== null) line(progressLine(next));
      },
      onSample() {},
    },
    close() {},
  };
}

/** Standard output is a pipe or another terminal than standard error's. */
function isElsewhere(): boolean {
  try {
    const [stdout, stderr] = [fs.fstatSync(1), fs.fstatSync(2)];
    return stdout.isFIFO() || stdout.isSocket() || (process.stdout.isTTY && stdout.rdev !== stderr.rdev);
  } catch {
    return true;
  }
}

/** Whether this process's group is the one its terminal is for: fields 5 and 8 of /proc/PID/stat (proc(5)). */
function isForeground(): boolean {
  const stat = fs.readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[2] === fields[5];
}
