import OpenAI from 'openai';

const client = new OpenAI({ maxRetries: 0 });
const stream = await client.chat.completions.create({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
let text = '';
for await (const event of stream) text += event.choices[0]?.delta?.content ?? '';
console.log(`openai: ${text}`);
