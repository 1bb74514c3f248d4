import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';

// It reads AWS_BEARER_TOKEN_BEDROCK by itself. Its own handler speaks only HTTP/2, which Decoy's proxy does not.
const client = new BedrockRuntimeClient({ region: 'us-east-1', maxAttempts: 1, requestHandler: new NodeHttpHandler() });
const { output } = await client.send(new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'hi' }] }] }));
console.log(`bedrock: ${output.message.content[0].text}`);
