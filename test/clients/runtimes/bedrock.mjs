import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';

// It reads AWS_BEARER_TOKEN_BEDROCK by itself. Here over HTTP/1.1; with its own handler it is among the clients of HTTP/2.
const client = new BedrockRuntimeClient({ region: 'us-east-1', maxAttempts: 1, requestHandler: new NodeHttpHandler() });
const { output } = await client.send(new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'hi' }] }] }));
console.log(`bedrock: ${output.message.content[0].text}`);
