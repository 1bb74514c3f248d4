import type { AuditEntry } from '../../src/report/audit-entry.ts';
import type { ExposedPort, Report, ServiceReport } from '../../src/report/report.ts';

/** An allowed request, with what a test changes of it. */
export function entryOf(changes: Partial<AuditEntry> = {}): AuditEntry {
  return {
    time: '2026-01-01T00:00:00.000Z', id: 1, protocol: 'https', method: 'GET', host: 'api.example.com', port: 443, path: '/v1',
    decision: 'allowed', rule: 'api.example.com', reason: null, remedy: null, status: 200,
    requestBytes: 10, responseBytes: 100, durationMs: 5, secrets: [], ...changes,
  };
}

/** A refused request. */
export function refusedOf(changes: Partial<AuditEntry> = {}): AuditEntry {
  return entryOf({
    decision: 'blocked', rule: null, reason: 'host-not-allowed', remedy: 'add `api.example.com` to allow', status: 403,
    requestBytes: 0, responseBytes: 0, ...changes,
  });
}

/** A refused DNS question, `atMs` after midnight. */
export function dnsRefusal(host: string, atMs: number): AuditEntry {
  return refusedOf({
    time: new Date(Date.UTC(2026, 0, 1) + atMs).toISOString(), protocol: 'dns', method: null, host, port: null, path: null,
    reason: 'name-not-allowed', remedy: `add \`${host}\` to allow`, status: null,
  });
}

export function reportOf(changes: Partial<Report> = {}): Report {
  return {
    version: 1, id: 'r1', conclusion: 'success', exitCode: 0, startedAt: '2026-01-01T00:00:00.000Z', wallSeconds: 12.34, image: 'runner',
    limits: { wallSeconds: 1800, memoryBytes: 4 * 2 ** 30, cpus: 2, storageBytes: 10 * 2 ** 30, pids: 2048 },
    usage: {
      cpuSeconds: 9.8, cpuUserSeconds: 9, cpuSystemSeconds: 0.8, throttledSeconds: 0, memoryPeakBytes: 1.2 * 2 ** 30, memoryGibSeconds: 10,
      oomKills: 0, pidsPeak: 45, pidsRefused: 0, storagePeakBytes: 300 * 2 ** 20, storageEnforcement: 'hard',
      network: { requests: 0, blocked: 0, requestBytes: 0, responseBytes: 0, hosts: [] },
    },
    secrets: [], blocked: [], samples: [], changes: { files: 0, insertions: 0, deletions: 0 }, ...changes,
  };
}

/** A service that was healthy and ran to the end, and what a test changes of it. */
export function serviceOf(changes: Partial<ServiceReport> = {}): ServiceReport {
  return {
    name: 'db', image: 'postgres:16', imageDigest: `postgres@sha256:${'5'.repeat(64)}`, startSeconds: 1.42, exitCode: null,
    limits: { memoryBytes: 512 * 2 ** 20, cpus: 1, storageBytes: 2 ** 30, pids: 256 },
    usage: { cpuSeconds: 2.31, memoryPeakBytes: 41 * 2 ** 20, oomKills: 0, pidsPeak: 9, storagePeakBytes: 48 * 2 ** 20 }, ...changes,
  };
}

/** Two exposed ports, one of each kind. */
export const exposedPorts: readonly ExposedPort[] = [
  { port: 8080, url: 'http://127.0.0.1:40123', connections: 3, requests: 12, refused: 1 }, { port: 5432, socket: '/run/user/1000/db.sock', connections: 1, refused: 0 },
];

/** What a sandbox might put in a host or a path to take over a terminal, a log or a page. */
export const hostileTexts: readonly string[] = [
  '\x1b[2J\x1b]8;;https://evil.test\x07click\x1b]8;;\x07',
  'a\u202egnp.exe', 'zero\u200bwidth', '\u009b31m', 'line\nbreak\r::error::x', '::add-mask::x', '##[add-mask]x', 'x ##[error]y',
  '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '![x](https://evil.test/x.png)', '[x](javascript:alert(1))',
  '@octocat', 'me@example.com', 'https://evil.test', 'www.evil.test', 'a | b | c', '\\|', '\\', '`', '``` ```', '`</code>`', '**bold**',
  '&#64;octocat', '\ud800', '\u0000', ' ', '', '|', 'x'.repeat(100_000), '`|\\'.repeat(1000), ':emoji:', '#1', '$x$', '~~~',
];
