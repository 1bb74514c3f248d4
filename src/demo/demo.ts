import os from 'node:os';
import { cancelOnSignals } from '../cancel-on-signals.ts';
import { openTerminal } from '../cli-terminal.ts';
import { warningLine } from '../cli-warn.ts';
import type { RunConfig } from '../config.ts';
import { describeHost } from '../host.ts';
import { openOutput } from '../output.ts';
import { renderTerminal } from '../report/render-terminal.ts';
import { run } from '../run.ts';
import { wantsColour } from '../terminal/look.ts';
import { startFakeOpenai } from './fake-openai.ts';
import { DEMO_SCRIPT } from './script.ts';

/** What a key looks like; it is no one's. */
const DEMO_KEY = 'sk-demo-4f1c9aXw7QmZt2LrN8vKpB3yHs6DgUeJ';

/**
 * `decoy demo`: a script that uses a key as it should and then tries to ship it away, on a machine with nothing but Docker.
 * @returns 0 when everything it claims was seen to happen, else 1, or what the run itself failed with
 */
export async function demo(distDirectory: string): Promise<number> {
  await using upstream = await startFakeOpenai(DEMO_KEY);
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  say('Decoy demo: the script below runs in the capped container. Its OPENAI_API_KEY is a placeholder; the real key never leaves this process.\n');
  const cancellation = cancelOnSignals();
  let printed = '';
  const indent = indented();
  const config = demoConfig(upstream.port);
  const terminal = openTerminal({ limits: config.limits, quiet: false });
  const output = openOutput({ stdout: process.stdout, stderr: process.stderr, mode: 'plain', screen: terminal.screen });
  const { report } = await run({
    config,
    host: { ...describeHost({ ...process.env, TERM: undefined }, distDirectory), upstreamCertificates: [upstream.certificatePem] },
    signal: cancellation.signal,
    events: {
      onOutput: async ({ bytes }) => {
        printed += bytes.toString();
        await output.write({ channel: 'stdout', bytes: Buffer.from(indent(bytes.toString())) });
      },
      onEntry() {}, ...terminal.events, onWarning: (text) => terminal.line(warningLine(text)),
    },
  }).finally(terminal.close);
  output.release();
  cancellation.stop();
  say(`\n${renderTerminal(report, { colour: wantsColour(process.stdout, process.env) })}\n`);
  if (report.conclusion === 'error') return report.exitCode;
  const claims: [string, boolean][] = [
    ['the fake api.openai.com received the real key and answered', upstream.sawRealKey()],
    ['the script saw only a placeholder', printed.length > 0 && !printed.includes(DEMO_KEY)],
    ['the key echoed by the upstream came back as the placeholder', upstream.echoes() > 0 && !printed.includes(DEMO_KEY)],
    ['evil.example was blocked', report.blocked.some(({ host }) => host === 'evil.example')],
  ];
  claims.forEach(([claim, holds]) => say(`${holds ? 'yes' : 'NO '}  ${claim}`));
  return claims.every(([, holds]) => holds) ? 0 : 1;
}

/** Marks every line of what the sandbox prints. */
function indented(): (text: string) => string {
  let atLineStart = true;
  return (text) => {
    const marked = (atLineStart ? '  | ' : '') + text.replace(/\n(?=.)/gs, '\n  | ');
    atLineStart = text.endsWith('\n');
    return marked;
  };
}

function demoConfig(port: number): RunConfig {
  const host = { kind: 'exact', name: 'api.openai.com' } as const;
  return {
    command: { kind: 'script', text: DEMO_SCRIPT, shell: ['sh', '/decoy/script'] },
    image: 'runner', rules: [], env: {},
    secrets: [{ name: 'OPENAI_API_KEY', hosts: [host], hostTexts: [host.name], value: DEMO_KEY }],
    resolve: [{ host: host.name, port: 443, address: '127.0.0.1', addressPort: port }],
    limits: { wallSeconds: 60, memoryBytes: 512 * 2 ** 20, cpus: Math.min(2, os.cpus().length), storageBytes: 2 ** 30, pids: 256 },
    workspace: { mode: 'none', path: '/' }, workingDirectory: null, user: 'runner', foreignCredentials: 'allow', failOnBlocked: false,
  };
}
