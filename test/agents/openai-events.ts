import type { Task } from './model-apis.ts';

/**
 * https://platform.openai.com/docs/api-reference/responses-streaming. Codex's tools are functions of a JavaScript program that its model
 * writes. No request: what is answered to a connection that is only being warmed up.
 */
export function openaiEvents({ file, text, command }: Task, request: { input: unknown[] } | null): Record<string, unknown>[] {
  const done = (request?.input ?? []).filter((item) => (item as { type?: string }).type === 'custom_tool_call_output').length;
  const patch = `*** Begin Patch\n*** Add File: ${file}\n${text.trimEnd().split('\n').map((line) => `+${line}`).join('\n')}\n*** End Patch`;
  const programs = [`text(await tools.apply_patch(${JSON.stringify(patch)}))`, `text(JSON.stringify(await tools.exec_command({ cmd: ${JSON.stringify(command)} })))`];
  const item = done < programs.length
    ? { type: 'custom_tool_call', id: `ctc_${done}`, call_id: `call_${done}`, name: 'exec', input: programs[done] }
    : { type: 'message', id: 'msg_0', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'All done.', annotations: [] }] };
  const response = { id: `resp_${request === null ? 'warm' : done}`, object: 'response', status: 'in_progress', output: [] };
  const usage = { input_tokens: 10, input_tokens_details: { cached_tokens: 0 }, output_tokens: 5, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 15 };
  return [
    { type: 'response.created', response },
    ...(request === null ? [] : [{ type: 'response.output_item.added', output_index: 0, item }, { type: 'response.output_item.done', output_index: 0, item }]),
    { type: 'response.completed', response: { ...response, status: 'completed', output: request === null ? [] : [item], usage } },
  ];
}
