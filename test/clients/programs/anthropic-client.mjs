import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ maxRetries: 0 });
let text = '';
for await (const event of await client.messages.create({ model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'hi' }] })) {
  if (event.type === 'content_block_delta') text += event.delta.text;
}
console.log(`anthropic: ${text}`);
