import { quote } from '../policy/quote.ts';
import { defaultProxyLimits, type ProxyLimits } from '../proxy/limits.ts';
import { parseDuration } from './parse-duration.ts';
import { parseNumber } from './parse-number.ts';
import { parseSize } from './parse-size.ts';

/** Parses `NAME=VALUE` lines; what is not named keeps its default. The table of docs/limits.md is this one. */
export function parseProxyLimits(lines: readonly string[]): { limits: ProxyLimits; problems: string[] } {
  const limits = { ...defaultProxyLimits };
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const line of lines) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const [, name = '', value = ''] = /^([^=]*?)\s*=\s*(.*)$/.exec(text) ?? [];
    const problem = name === '' ? `${quote(text)} is not \`NAME=VALUE\`: write one such as ${quote(exampleFor(text))}` : setLimit(limits, { name, value, isRepeated: seen.has(name) });
    if (problem !== null) problems.push(`proxy-limits: ${problem}`);
    seen.add(name);
  }
  return { limits, problems };
}

/** Of the limit that seems to be meant. */
function exampleFor(text: string): string {
  const name = Object.keys(parsers).find((known) => text.startsWith(known) && !/^[a-z-]/.test(text.slice(known.length))) ?? 'connections';
  return `${name}=${parsers[name]!.example}`;
}

type Parser = { key: keyof ProxyLimits; example: string | number; parse(text: string): { ok: true; value: number } | { ok: false; problem: string } };

const parsers: Readonly<Record<string, Parser>> = {
  'header-bytes': { key: 'headerBytes', example: '64k', parse: (text) => parseSize(text, { minBytes: 4 << 10, maxBytes: 1 << 20 }) },
  idle: { key: 'idleMs', example: '75s', parse: (text) => inMilliseconds(parseDuration(text, { minSeconds: 1, maxSeconds: 1800 })) },
  // The canary has two at once.
  connections: { key: 'connections', example: 256, parse: (text) => parseNumber(text, { min: 4, max: 4096, whole: true, example: 256 }) },
  'requests-running': { key: 'requestsRunning', example: 256, parse: (text) => parseNumber(text, { min: 1, max: 4096, whole: true, example: 256 }) },
  'requests-per-minute': { key: 'requestsPerMinute', example: 600, parse: (text) => parseNumber(text, { min: 1, max: 100_000, whole: true, example: 600 }) },
  // One WebSocket message of 16 MiB on its way takes 32 of them.
  memory: { key: 'memoryBytes', example: '256m', parse: (text) => parseSize(text, { minBytes: 64 << 20, maxBytes: 4 * 2 ** 30 }) },
};

function setLimit(limits: ProxyLimits, { name, value, isRepeated }: { name: string; value: string; isRepeated: boolean }): string | null {
  const parser = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
  if (parser === undefined) return `${quote(name)} is not a limit: write one of ${Object.keys(parsers).map((known) => `\`${known}\``).join(', ')}`;
  if (isRepeated) return `\`${name}\` is given twice: leave one line out`;
  const parsed = parser.parse(value);
  if (!parsed.ok) return `\`${name}\`: ${parsed.problem}`;
  limits[parser.key] = parsed.value;
  return null;
}

function inMilliseconds(parsed: ReturnType<typeof parseDuration>): ReturnType<typeof parseDuration> {
  return parsed.ok ? { ok: true, value: parsed.value * 1000 } : parsed;
}
