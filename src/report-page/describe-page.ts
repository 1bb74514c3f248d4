import { exposedRows } from '../report/exposed-rows.ts';
import { limitRows } from '../report/limit-rows.ts';
import { observeNotes } from '../report/observe-notes.ts';
import { printable, printableSentence } from '../report/printable.ts';
import { renderCanary } from '../report/render-canary.ts';
import { renderVerdict } from '../report/render-verdict.ts';
import type { BlockedGroup, Report } from '../report/report.ts';
import { serviceRows } from '../report/service-rows.ts';
import type { Sample } from '../usage/usage.ts';
import type { Bounded, PageData, Traffic } from './page-data.ts';
import { readPatchFiles } from './patch-files.ts';
import type { RequestLog } from './request-log.ts';
import { createTrafficBins } from './traffic-bins.ts';

/** `log`: null where there is no audit log; `patch`: null where there is none. */
export type PageParts = { report: Report; log: RequestLog | null; patch: Buffer | null };

/** More than a report of Decoy's has: one from elsewhere may have any number. */
const MAX_ROWS = 1_100;

/** What the page shows, bounded and made safe to print. */
export function describePage({ report, log, patch }: PageParts): PageData {
  const { requests, blocked, requestBytes, responseBytes, hosts } = report.usage.network;
  const samples = report.samples.slice(0, 2 * MAX_ROWS).map(({ atSeconds, cpuSeconds, memoryBytes, pids, storageBytes, requests: r, blocked: b }) => ({ atSeconds, cpuSeconds, memoryBytes, pids, storageBytes, requests: r, blocked: b }));
  const read = log?.read(Date.parse(report.commandStartedAt ?? report.startedAt)) ?? null;
  const { files, insertions, deletions, leftOut, problem, written } = report.changes;
  return {
    id: printable(report.id, 64), conclusion: report.conclusion, exitCode: report.exitCode,
    verdict: printableSentence(renderVerdict(report), 1000), canary: renderCanary(report),
    problems: (report.problems ?? []).slice(0, MAX_ROWS).map((problem) => printableSentence(problem, 1000)), notes: shownNotes(report),
    startedAt: new Date(report.startedAt).toISOString(), wallSeconds: report.wallSeconds,
    image: printable(report.image, 255), imageDigest: report.imageDigest === undefined ? null : printable(report.imageDigest, 400),
    limitRows: report.limits.wallSeconds > 0 ? limitRows(report) : [],
    limits: report.limits, samples,
    network: { requests, blocked, requestBytes, responseBytes },
    hosts: bounded(hosts, (host) => ({ ...host, host: printable(host.host, 255) })),
    services: bounded(serviceRows(report), (row) => ({
      ...row, name: printable(row.name, 64), image: printable(row.image, 255), imageDigest: row.imageDigest === null ? null : printable(row.imageDigest, 400),
    })),
    exposed: bounded(exposedRows(report), (row) => ({ ...row, address: printable(row.address, 255) })),
    secrets: bounded(report.secrets, (secret) => ({
      ...secret, name: printable(secret.name, 64), hosts: secret.hosts.slice(0, 50).map((host) => printable(host, 255)), placeholderPrefix: printable(secret.placeholderPrefix, 64),
    })),
    blocked: bounded(report.blocked, shownGroup), observed: bounded(report.observed ?? [], shownGroup), failed: bounded(report.failed ?? [], shownGroup),
    traffic: read?.traffic ?? trafficOf(samples), requests: read?.table ?? null,
    changes: {
      files, insertions, deletions, ...(typeof leftOut === 'number' ? { leftOut } : {}), ...(typeof written === 'boolean' ? { written } : {}),
      ...(typeof problem === 'string' ? { problem: printableSentence(problem, 400) } : {}),
    },
    files: patch === null ? null : readPatchFiles(patch),
  };
}

function bounded<Item>(items: readonly Item[], shown: (item: Item) => Item): Bounded<Item> {
  return { items: items.slice(0, MAX_ROWS).map(shown), leftOut: Math.max(0, items.length - MAX_ROWS) };
}

/** Making a list of requests takes the longer the more there are: a report of Decoy's has at most 2,000. */
function shownNotes(report: Report): PageData['notes'] {
  const notes = observeNotes({ ...report, requests: (report.requests ?? []).slice(0, 2 * MAX_ROWS) });
  return notes === null ? null : { ...notes, proposal: notes.proposal.map((line) => printable(line, 600)) };
}

function shownGroup({ host, port, method, path, reason, count, remedy }: BlockedGroup): BlockedGroup {
  return {
    host: printable(host, 255), port, method: method === null ? null : printable(method, 32), path: path === null ? null : printable(path, 512),
    reason: printable(reason, 40) as BlockedGroup['reason'], count, remedy: printableSentence(remedy, 1000),
  };
}

/** Without an audit log, what the readings say: how many there were since the one before. */
function trafficOf(samples: readonly Sample[]): Traffic {
  const bins = createTrafficBins();
  let [requests, blocked] = [0, 0];
  for (const sample of samples) {
    bins.add(sample.atSeconds, { allowed: Math.max(0, sample.requests - requests), blocked: Math.max(0, sample.blocked - blocked) });
    [requests, blocked] = [sample.requests, sample.blocked];
  }
  return bins.traffic();
}
