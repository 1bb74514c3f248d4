import path from 'node:path';
import type { Task } from './model-apis.ts';

/** https://docs.claude.com/en/api/messages-streaming */
export function anthropicEvents({ directory, file, text, command }: Task, { model, messages }: { model: string; messages: unknown[] }): Record<string, unknown>[] {
  const done = JSON.stringify(messages).split('"tool_result"').length - 1;
  const calls = [{ name: 'Write', input: { file_path: path.join(directory, file), content: text } }, { name: 'Bash', input: { command, description: 'look' } }];
  const call = calls[done];
  const block = call === undefined ? { type: 'text', text: '' } : { type: 'tool_use', id: `toolu_${done}`, name: call.name, input: {} };
  const delta = call === undefined ? { type: 'text_delta', text: 'All done.' } : { type: 'input_json_delta', partial_json: JSON.stringify(call.input) };
  return [
    { type: 'message_start', message: { id: `msg_${done}`, type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 10, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: call === undefined ? 'end_turn' : 'tool_use', stop_sequence: null }, usage: { output_tokens: 5 } },
    { type: 'message_stop' },
  ];
}
