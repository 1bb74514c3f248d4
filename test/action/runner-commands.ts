/**
 * What GitHub's runner would obey in a step's output, by its own rules: one parser for both pipes, `::name …::data` at the start of a
 * line (leading white space not counted), `##[name …]data` anywhere in it, names without regard to case, and nothing between
 * `stop-commands` and its token but that token.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 * https://github.com/actions/runner/blob/main/src/Runner.Worker/ActionCommandManager.cs
 */
export type RunnerCommand = { name: string; data: string };

const REGISTERED = [
  'stop-commands', 'set-env', 'set-output', 'save-state', 'add-mask', 'add-path', 'add-matcher', 'remove-matcher', 'debug', 'notice', 'warning',
  'error', 'group', 'endgroup', 'echo', 'internal-set-repo-path',
];

export type Obeyed = { commands: RunnerCommand[]; stillStopped: boolean };

export function obeyedCommands(text: string): Obeyed {
  const registered = new Set(REGISTERED);
  const commands: RunnerCommand[] = [];
  let token: string | null = null;
  for (const line of text.split(/\r\n|\n|\r/)) {
    const command = parse(line, registered);
    if (command === null) continue;
    if (token !== null) {
      if (command.name !== token) continue;
      registered.delete(token);
      token = null;
      continue;
    }
    commands.push(command);
    if (command.name !== 'stop-commands') continue;
    token = command.data.toLowerCase();
    registered.add(token);
  }
  return { commands, stillStopped: token !== null };
}

/**
 * Commands of a step over every order in which the runner may take the two pipes: it reads them on threads of their own, so all of
 * stderr may come before, between or after the lines of stdout.
 */
export function obeyedInAnyOrder({ stdout, stderr }: { stdout: string; stderr: string }): RunnerCommand[] {
  const lines = stdout.split('\n');
  const found = new Map<string, RunnerCommand>();
  for (let position = 0; position <= lines.length; position += 1) {
    const order = [...lines.slice(0, position), stderr, ...lines.slice(position)].join('\n');
    for (const command of obeyedCommands(order).commands) found.set(JSON.stringify(command), command);
  }
  return [...found.values()];
}

function parse(line: string, registered: ReadonlySet<string>): RunnerCommand | null {
  const trimmed = line.trimStart();
  const end = trimmed.startsWith('::') ? trimmed.indexOf('::', 2) : -1;
  if (end > 0) {
    const name = (trimmed.slice(2, end).split(' ')[0] as string).toLowerCase();
    if (registered.has(name)) return { name, data: trimmed.slice(end + 2) };
  }
  const start = line.indexOf('##[');
  const close = start < 0 ? -1 : line.indexOf(']', start);
  if (close < 0) return null;
  const name = (line.slice(start + 3, close).split(' ')[0] as string).toLowerCase();
  return registered.has(name) ? { name, data: line.slice(close + 1) } : null;
}
