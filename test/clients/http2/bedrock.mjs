import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';

// With its own handler, which speaks only HTTP/2. It reads AWS_BEARER_TOKEN_BEDROCK by itself.
const client = new BedrockRuntimeClient({ region: 'us-east-1', maxAttempts: 1 });
const { output } = await client.send(new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'hi' }] }] }));
console.log(`bedrock: ${output.message.content[0].text}`);
client.destroy();
