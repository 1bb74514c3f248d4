import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { anthropicEvents } from './anthropic-events.ts';
import { geminiEvents } from './gemini-events.ts';
import { openaiEvents } from './openai-events.ts';

/** What the model has its agent do, one after the other: write a file, run a command, say that all is done. */
export type Task = { directory: string; file: string; text: string; command: string };

/** Answers as the three vendors' APIs do, as far as a coding agent needs them for this task. `body` is the request's. */
export function answerModel(task: Task, { request, response, body }: { request: IncomingMessage; response: ServerResponse; body: string }): void {
  const events = eventsFor(task, `${request.headers.host}${request.url}`, body);
  if (events === null) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"there is nothing here"}}');
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.map((event) => `${'type' in event ? `event: ${event['type']}\n` : ''}data: ${JSON.stringify(event)}\n\n`).join(''));
}

/** The same over OpenAI's WebSocket, where each message has only what is new. */
export function answerWebSocket(task: Task, { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer }): void {
  new WebSocketServer({ noServer: true }).handleUpgrade(request, socket, head, (client) => {
    const input: unknown[] = [];
    client.on('message', (message: Buffer) => {
      const { generate, input: added = [] } = JSON.parse(message.toString()) as { generate?: boolean; input?: unknown[] };
      input.push(...added);
      const events = generate === false ? openaiEvents(task, null) : openaiEvents(task, { input });
      events.forEach((event) => client.send(JSON.stringify(event)));
    });
  });
}

type Event = Record<string, unknown>;

function eventsFor(task: Task, url: string, body: string): Event[] | null {
  if (url.startsWith('api.anthropic.com/v1/messages?') || url === 'api.anthropic.com/v1/messages') return anthropicEvents(task, JSON.parse(body));
  if (url === 'api.openai.com/v1/responses') return openaiEvents(task, JSON.parse(body));
  if (/^generativelanguage\.googleapis\.com\/.*:streamGenerateContent\?alt=sse$/.test(url)) return geminiEvents(task, JSON.parse(body));
  return null;
}
