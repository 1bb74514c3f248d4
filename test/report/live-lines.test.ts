import { expect, test } from 'vitest';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import { createLiveLines, MAX_BLOCKED } from '../../src/report/live-lines.ts';

const limits = { wallSeconds: 1800, memoryBytes: 4 * 2 ** 30, cpus: 2, storageBytes: 10 * 2 ** 30, pids: 2048 };

function blocked(entry: Partial<AuditEntry>): AuditEntry {
  return {
    time: '2026-01-01T00:00:00.000Z', id: 1, protocol: 'https', method: 'GET', host: 'a.example', port: 443, path: '/x', decision: 'blocked', rule: null, reason: 'host-not-allowed', remedy: null,
    status: 403, requestBytes: 0, responseBytes: 0, durationMs: 1, secrets: [], ...entry,
  };
}

test('each kind of refusal is told once, and what was let through not at all', () => {
  const live = createLiveLines({ limits });
  expect(live.blocked(blocked({}))).toBe('blocked GET a.example:443/x: host-not-allowed');
  expect(live.blocked(blocked({ id: 2 }))).toBeNull();
  expect(live.blocked(blocked({ decision: 'allowed' }))).toBeNull();
  expect(live.blocked(blocked({ protocol: 'dns', method: null, port: null, path: null }))).toBe('blocked the name a.example: host-not-allowed');
  expect(live.blocked(blocked({ protocol: 'tcp', method: null, path: null, port: 5432 }))).toBe('blocked a connection to a.example:5432: host-not-allowed');
});

test('a flood is cut off, with a word on where the rest is', () => {
  const live = createLiveLines({ limits });
  const lines = Array.from({ length: 100 }, (_, number) => live.blocked(blocked({ path: `/${number}` }))).filter((line) => line !== null);
  expect(lines).toHaveLength(MAX_BLOCKED + 1);
  expect(lines.at(-1)).toBe('more was blocked: the report and the audit log have it all');
});

test('what the sandbox chose rewrites no terminal and is no command of the runner\'s', () => {
  const line = createLiveLines({ limits }).blocked(blocked({ host: 'a\u001b[2J', method: 'G\nET', path: '/##[error]x\r\n::error::y' }));
  expect(line).toBe('blocked G\ufffdET a\ufffd[2J:443/#_[error]x\ufffd\ufffd::error::y: host-not-allowed');
});

test('a sign of life comes once a minute of the command\'s time', () => {
  const live = createLiveLines({ limits });
  const at = (atSeconds: number) => live.heartbeat({ atSeconds, cpuSeconds: 12.34, memoryBytes: 2 ** 20, pids: 3, storageBytes: atSeconds < 100 ? 2 ** 21 : null, requests: 1, blocked: 2 });
  expect(at(59)).toBeNull();
  expect(at(60.4)).toBe('1 min of 30 min; 12.3 s of CPU time; 1 MiB of 4 GiB memory; 2 MiB of 10 GiB disk; 1 request, 2 blocked');
  expect(at(119)).toBeNull();
  expect(at(200)).toBe('3 min 20 s of 30 min; 12.3 s of CPU time; 1 MiB of 4 GiB memory; 1 request, 2 blocked');
  expect(at(239)).toBeNull();
  expect(at(240)).not.toBeNull();
});
