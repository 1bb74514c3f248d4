import path from 'node:path';
import type { Task } from './model-apis.ts';

/** https://ai.google.dev/api/generate-content */
export function geminiEvents({ directory, file, text, command }: Task, { contents }: { contents: unknown[] }): Record<string, unknown>[] {
  const done = JSON.stringify(contents).split('"functionResponse"').length - 1;
  const calls = [{ name: 'write_file', args: { file_path: path.join(directory, file), content: text } }, { name: 'run_shell_command', args: { command, description: 'look' } }];
  const part = done < calls.length ? { functionCall: calls[done] } : { text: 'All done.' };
  return [{ candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }], usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 } }];
}
