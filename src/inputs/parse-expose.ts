import fs from 'node:fs';
import path from 'node:path';
import type { ExposeConfig, ExposeRequest } from '../expose/expose-request.ts';
import type { Rule } from '../policy/policy.ts';
import { quote } from '../policy/quote.ts';
import { realPath } from './real-path.ts';
import { SOCKET_PATH_BYTES } from '../socket-path-bytes.ts';

export type ExposeContext = {
  rules: readonly Rule[];
  /** The directory through which the sandbox could see a path, or null. */
  seenAt(file: string): string | null;
};

const MOST_PORTS = 16;
const WRITE = 'write the port of the sandbox, as `8080`; `3000:8080` for port 3000 of the host; or `/path/of.sock:5432` for a Unix socket';

/** Reads `PORT`, `HOSTPORT:PORT` and `/SOCKET:PORT` lines and the path of the file that tells where they are; all problems at once. */
export function parseExpose(lines: readonly string[], { file, ...context }: ExposeContext & { file: string | undefined }): { expose: ExposeConfig; problems: string[] } {
  const requests: ExposeRequest[] = [];
  const problems: string[] = [];
  for (const line of lines.map((text) => text.trim()).filter((text) => text !== '' && !text.startsWith('#'))) {
    const parsed = parseLine(line, context);
    if (typeof parsed === 'string') problems.push(`expose: ${quote(line)} ${parsed}`);
    else if (requests.some(({ port }) => port === parsed.port)) problems.push(`expose: ${quote(line)} names port ${parsed.port} a second time: leave one of them out`);
    else if (requests.some(({ at }) => isSamePlace(at, parsed.at))) problems.push(`expose: ${quote(line)} has the place of another port: give it one of its own`);
    else requests.push(parsed);
  }
  if (requests.length > MOST_PORTS) problems.push(`expose: ${requests.length} ports are too many: give at most ${MOST_PORTS}`);
  const exposedFile = file === undefined || file === '' ? null : path.resolve(file);
  if (exposedFile !== null) {
    const seen = requests.length === 0 && problems.length === 0 ? null : context.seenAt(realPath(exposedFile));
    if (requests.length === 0 && problems.length === 0) problems.push(`expose-file: ${quote(file!)} would tell of ports, but \`expose\` names none: give \`expose\`, too`);
    else if (seen !== null) problems.push(`expose-file: the sandbox could read ${quote(file!)}, which holds the tokens, by way of ${quote(seen)}: write a path outside, such as one in RUNNER_TEMP or /tmp`);
    else if (fs.statSync(exposedFile, { throwIfNoEntry: false })?.isDirectory()) problems.push(`expose-file: ${quote(file!)} is a directory: write the path of a file in it`);
  }
  return { expose: { requests, file: exposedFile }, problems };
}

/** The request, or what is wrong with the line. */
function parseLine(line: string, { rules, seenAt }: ExposeContext): ExposeRequest | string {
  const [, place, inside = ''] = /^(?:(.*):)?([^:]*)$/.exec(line) ?? [];
  const port = parsePort(inside);
  if (port === null) return `does not end in a port from 1 to 65535: ${WRITE}`;
  const own = ownPort(port, rules);
  if (own !== null) return own;
  if (place === undefined) return { port, at: { kind: 'http', hostPort: null } };
  if (place.startsWith('/')) {
    const problem = socketProblem(place, seenAt);
    return problem ?? { port, at: { kind: 'socket', path: place } };
  }
  const hostPort = parsePort(place);
  return hostPort === null ? `has no port of the host before the colon: ${WRITE}` : { port, at: { kind: 'http', hostPort } };
}

function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}

/** What is wrong with a port that is the gateway's in the sandbox's network, where it listens on every address; else null. */
export function ownPort(port: number, rules: readonly Rule[]): string | null {
  if (port === 53 || port === 80 || port === 443) return `is a port on which Decoy answers in the sandbox (53, 80 and 443 are): have the server listen on another one, such as ${port === 443 ? 8443 : 8080}`;
  const rule = rules.find((candidate) => candidate.port === port);
  return rule === undefined ? null : `is the port of the rule ${quote(rule.text)}, on which Decoy answers in the sandbox: have the server listen on another one`;
}

function socketProblem(place: string, seenAt: ExposeContext['seenAt']): string | null {
  if (path.posix.normalize(place) !== place || place.endsWith('/')) return `has a path with \`.\`, \`..\` or a slash too many: write it without`;
  if (Buffer.byteLength(place) > SOCKET_PATH_BYTES) return `has a path of more than ${SOCKET_PATH_BYTES} bytes, the most a Unix socket can have: write a shorter one`;
  const seen = seenAt(realPath(place));
  return seen === null ? null : `has a socket that the sandbox could see by way of ${quote(seen)}: write a path outside, such as one in RUNNER_TEMP or /tmp`;
}

function isSamePlace(one: ExposeRequest['at'], other: ExposeRequest['at']): boolean {
  if (one.kind === 'socket') return other.kind === 'socket' && one.path === other.path;
  return other.kind === 'http' && one.hostPort !== null && one.hostPort === other.hostPort;
}
