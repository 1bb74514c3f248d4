import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { markdownCode } from '../../src/report/markdown-code.ts';
import { createLedger } from '../../src/report/network-ledger.ts';
import { renderBar } from '../../src/report/render-bar.ts';
import { renderSummary } from '../../src/report/render-summary.ts';
import { renderTerminal } from '../../src/report/render-terminal.ts';
import { renderBytes, renderNumber, renderSeconds } from '../../src/report/quantities.ts';
import type { Report } from '../../src/report/report.ts';
import { dnsRefusal, entryOf, exposedPorts, hostileTexts, refusedOf, reportOf, serviceOf } from './entries.ts';

const plain = { colour: false };

/** A report whose every untrusted field holds the text as it is, as if the ledger had not cleaned it. */
function reportFullOf(text: string): Report {
  const host = { host: text, requests: 1, blocked: 1, requestBytes: 1, responseBytes: 1, substitutions: 1, scrubs: 1 };
  const report = reportOf({ conclusion: 'error', exitCode: 125, error: text, image: text });
  return {
    ...report,
    usage: { ...report.usage, network: { requests: 1, blocked: 1, requestBytes: 1, responseBytes: 1, hosts: [host] } },
    secrets: [{ name: text, hosts: [text], placeholderPrefix: text, substitutions: 1, scrubs: 1, refusals: 1 }],
    blocked: [{ host: text, port: 443, method: text, path: text, reason: 'path-not-allowed', count: 1, remedy: text }],
    failed: [{ host: text, port: 443, method: text, path: text, reason: 'upstream-tls', count: 1, remedy: text }],
    services: [{ ...serviceOf({ name: text, image: text }), imageDigest: text.slice(0, 70) }],
    exposed: [{ port: 1, url: text, connections: 1, requests: 1, refused: 1 }, { port: 2, socket: text, connections: 1, refused: 1 }],
  };
}

/** A report as the ledger makes it. */
function usedReport(): Report {
  const ledger = createLedger([{ name: 'OPENAI_API_KEY', hostTexts: ['api.example.com'], placeholderPrefix: 'sk-' }]);
  for (let i = 0; i < 12; i++) ledger.add(entryOf({ secrets: [{ name: 'OPENAI_API_KEY', substitutions: 1, scrubs: 0, refusals: 0 }] }));
  ledger.add(entryOf({ host: 'registry.example.org', responseBytes: 5_000_000 }));
  ledger.add(dnsRefusal('telemetry.example.net', 0));
  ledger.add(refusedOf({
    method: 'DELETE', path: '/v1/files/7', reason: 'method-not-allowed', remedy: 'add `DELETE api.example.com/v1/**` to allow',
  }));
  const report = reportOf({ startup: { canaryMs: 21.4 }, blocked: ledger.blocked(), secrets: ledger.secrets(), changes: { files: 3, insertions: 10, deletions: 2 } });
  return { ...report, usage: { ...report.usage, network: ledger.network() } };
}

test('what failed at an upstream is told like what was blocked', () => {
  const failed: Report['failed'] = [{ host: 'api.example.com', port: 443, method: null, path: null, reason: 'upstream-tls', count: 2, remedy: 'Trust its authority.' }];
  expect(renderTerminal(reportOf({ failed }), plain)).toContain('Failed\n  - 2 x api.example.com:443: upstream-tls\n    > Trust its authority.');
  expect(renderSummary(reportOf({ failed }))).toMatch(/Failed[^]*`api\.example\.com:443` \| `upstream-tls` \| `Trust its authority\.`/);
});

const went: Report['services'] = [
  serviceOf(), serviceOf({ name: 'cache', image: 'redis:7', startSeconds: 0.2, exitCode: 137, usage: { cpuSeconds: 0.1, memoryPeakBytes: 2 ** 29, oomKills: 2, pidsPeak: 4, storagePeakBytes: 0 } }),
  serviceOf({ name: 'late', startSeconds: null, exitCode: 1, limits: { memoryBytes: 1, cpus: 2, storageBytes: 1, pids: 1 } }),
];
const { usage: _, imageDigest: __, ...neverUp } = serviceOf({ name: 'gone', startSeconds: null });
const withServices = reportOf({ services: [...went, neverUp], exposed: [...exposedPorts] });

test('services and exposed ports on a terminal', () => {
  const text = renderTerminal(withServices, plain);
  expect(text.slice(text.indexOf('Services'), text.indexOf('Network'))).toMatchInlineSnapshot(`
    "Services
      - db in postgres:16: up after 1.42 s, until the end of the run
      | cpu 2.31 s on 1 cpu; memory 41 MiB of 512 MiB
      | storage 48 MiB of 1 GiB; pids 9 of 256
      | postgres@sha256:5555555555555555555555555555555555555555555555555555555555555555
      - cache in redis:7: up after 0.2 s, then ended with exit code 137
      | cpu 0.1 s on 1 cpu; memory 512 MiB of 512 MiB, killed 2 processes
      | storage 0 B of 1 GiB; pids 4 of 256
      | postgres@sha256:5555555555555555555555555555555555555555555555555555555555555555
      - late in postgres:16: never up, ended with exit code 1
      | cpu 2.31 s on 2 cpus; memory 41 MiB of 1 B
      | storage 48 MiB of 1 B; pids 9 of 1
      | postgres@sha256:5555555555555555555555555555555555555555555555555555555555555555
      - gone in postgres:16: never up
      | no reading was taken

    "
  `);
  expect(text.slice(text.indexOf('Exposed'))).toMatchInlineSnapshot(`
    "Exposed ports
      - 8080 at http://127.0.0.1:40123: 12 requests, 3 connections, 1 refused
      - 5432 at /run/user/1000/db.sock: 1 connection, 0 refused
    "
  `);
});

test('services and exposed ports in the job summary', () => {
  const text = renderSummary(withServices);
  expect(text.slice(text.indexOf('#### Services'))).toMatchInlineSnapshot(`
    "#### Services

    | service | image | how it ended | cpu | memory | storage | pids |
    | --- | --- | --- | ---: | ---: | ---: | ---: |
    | \`db\` | \`postgres:16\` (\`postgres@sha256:5555555555555555555555555555555555555555555555555555555555555555\`) | up after 1.42 s, until the end of the run | 2.31 s on 1 cpu | 41 MiB of 512 MiB | 48 MiB of 1 GiB | 9 of 256 |
    | \`cache\` | \`redis:7\` (\`postgres@sha256:5555555555555555555555555555555555555555555555555555555555555555\`) | up after 0.2 s, then ended with exit code 137 | 0.1 s on 1 cpu | 512 MiB of 512 MiB, killed 2 processes | 0 B of 1 GiB | 4 of 256 |
    | \`late\` | \`postgres:16\` (\`postgres@sha256:5555555555555555555555555555555555555555555555555555555555555555\`) | never up, ended with exit code 1 | 2.31 s on 2 cpus | 41 MiB of 1 B | 48 MiB of 1 B | 9 of 1 |
    | \`gone\` | \`postgres:16\` | never up | – | – | – | – |

    #### Exposed ports

    | port of the sandbox | on the host | used |
    | ---: | --- | --- |
    | 8080 | \`http://127.0.0.1:40123\` | 12 requests, 3 connections, 1 refused |
    | 5432 | \`/run/user/1000/db.sock\` | 1 connection, 0 refused |
    "
  `);
});

test('a run without them says nothing of services and exposed ports', () => {
  for (const render of [renderSummary, (report: Report) => renderTerminal(report, plain)]) expect(render(reportOf())).not.toMatch(/services|exposed/i);
});

describe('on a terminal', () => {
  test('a run that succeeded', () => {
    expect(renderTerminal(usedReport(), plain)).toMatchInlineSnapshot(`
      "Decoy: success, exit 0 after 12.3 s in runner
        > The command succeeded.
        > Start-up canary: held, 21 ms.

      Limits
        time      12.3 s  █░░░░░░░░░   1 % of 30 min
        cpu        9.8 s  ████░░░░░░  40 % of 2 cpus
        memory   1.2 GiB  ███░░░░░░░  30 % of 4 GiB
        storage  300 MiB  █░░░░░░░░░   3 % of 10 GiB
        pids          45  █░░░░░░░░░   2 % of 2,048

      Network: 13 requests, 2 blocked, 130 B out, 4.77 MiB in
        - api.example.com: 12 requests, 1 blocked, 120 B out, 1.17 KiB in
        - registry.example.org: 1 request, 10 B out, 4.77 MiB in
        - telemetry.example.net: 1 blocked

      Secrets
        - OPENAI_API_KEY for api.example.com: substituted 12, scrubbed 0, refused 0

      Blocked
        - 1 x telemetry.example.net: name-not-allowed
          > add \`telemetry.example.net\` to allow
        - 1 x DELETE api.example.com:443/v1/files/7: method-not-allowed
          > add \`DELETE api.example.com/v1/**\` to allow

      Changes: 3 files, 10 lines added, 2 removed
      "
    `);
  });

  test('a run whose canary was not proven says nothing of one', () => {
    for (const render of [renderSummary, (report: Report) => renderTerminal(report, plain)]) expect(render(reportOf())).not.toContain('canary');
  });

  test.each<[Partial<Report>, string]>([
    [{ conclusion: 'failure', exitCode: 3 }, 'The command failed with exit code 3.'],
    [{ conclusion: 'failure', exitCode: 1, usage: { ...reportOf().usage, pidsRefused: 12 } }, 'exit code 1. The cap of 2,048 processes and threads was reached, and 12 starts refused: raise pids or start fewer.'],
    [{ usage: { ...reportOf().usage, oomKills: 2 } }, 'The command succeeded. The kernel killed 2 processes at the memory cap of 4 GiB: raise memory or use less.'],
    [{ usage: { ...reportOf().usage, storageFull: true } }, 'The command succeeded. The disk of 10 GiB was full: raise storage or write less.'],
    [{ usage: { ...reportOf().usage, storageFull: true } }, 'of 10 GiB, was full'],
    [{ usage: { ...reportOf().usage, storageFull: true, filesFull: true } }, 'The disk of 10 GiB had no room for more files: raise storage, with which their number grows, or make fewer.'],
    [{ usage: { ...reportOf().usage, throttledSeconds: 0.0084 } }, 'of 2 cpus\n'],
    [{ conclusion: 'error', exitCode: 125, error: 'a; b', problems: ['a', 'b'] }, '2 problems with what was given: nothing was started.'],
    [{ conclusion: 'timeout', exitCode: 124 }, 'Stopped at the time limit of 30 min: raise timeout (at most 30m) or do less.'],
    [{ conclusion: 'oom', exitCode: 137 }, 'at the cap of 4 GiB: raise memory or use less.'],
    [{ conclusion: 'storage', exitCode: 5 }, 'The disk of 10 GiB was full'],
    [{ conclusion: 'blocked', exitCode: 1 }, 'blocked, and fail-on-blocked is set'],
    [{ conclusion: 'cancelled', exitCode: 130 }, 'Cancelled'],
    [{ conclusion: 'error', exitCode: 125, error: 'cannot reach the engine: start it' }, 'cannot reach the engine: start it'],
  ])('%j', (changes, sentence) => {
    expect(renderTerminal(reportOf(changes), plain).replace(/\n +> /g, ' ')).toContain(sentence);
  });

  test('colour is there only where it is asked for', () => {
    expect(renderTerminal(usedReport(), plain)).not.toContain('\x1b');
    const coloured = renderTerminal(usedReport(), { colour: true });
    expect(coloured).toContain('\x1b[1;32msuccess\x1b[0m');
    expect(stripVTControlCharacters(coloured)).toBe(renderTerminal(usedReport(), plain));
  });

  test.each(hostileTexts.map((text) => [text.slice(0, 40), text]))('%j cannot take it over', (_, text) => {
    for (const columns of [20, 80, 1000]) {
      const lines = renderTerminal(reportFullOf(text), { colour: false, columns }).split('\n');
      for (const line of lines) {
        expect(line).not.toMatch(/\p{Cc}|\p{Cf}/u);
        expect(line).not.toMatch(/^\s*::|##\[/);
        expect(line.length).toBeLessThanOrEqual(columns > 80 ? 100 : 80);
      }
    }
  });

  test('a flood of hosts, refusals and secrets is ten rows each', () => {
    const report = reportFullOf('x.test');
    const many = <T>(row: T): T[] => Array.from({ length: 500 }, () => row);
    const flooded = { ...report, blocked: many(report.blocked[0]!), secrets: many(report.secrets[0]!) };
    flooded.usage.network.hosts = many(report.usage.network.hosts[0]!);
    const text = renderTerminal(flooded, plain);
    expect(text.split('\n').length).toBeLessThan(80);
    expect(text).toContain('and 490 more hosts: see report.json');
  });
});

describe('in the job summary', () => {
  test('a run that succeeded', () => {
    expect(renderSummary(usedReport())).toMatchInlineSnapshot(`
      "### Decoy: success

      The command succeeded.

      Exit code 0 after 12.3 s in \`runner\`. Start-up canary: held, 21 ms. Files changed: 3; lines added: 10, removed: 2.

      #### Limits

      | limit | used |  | of |  |
      | --- | ---: | --- | ---: | --- |
      | time | 12.3 s | █░░░░░░░░░ | 30 min |  |
      | cpu | 9.8 s | ████░░░░░░ | 2 cpus |  |
      | memory | 1.2 GiB | ███░░░░░░░ | 4 GiB |  |
      | storage | 300 MiB | █░░░░░░░░░ | 10 GiB |  |
      | pids | 45 | █░░░░░░░░░ | 2,048 |  |

      #### Blocked

      | count | attempt | reason | remedy |
      | ---: | --- | --- | --- |
      | 1 | \`telemetry.example.net\` | \`name-not-allowed\` | \`\`add \`telemetry.example.net\` to allow\`\` |
      | 1 | \`DELETE api.example.com:443/v1/files/7\` | \`method-not-allowed\` | \`\`add \`DELETE api.example.com/v1/**\` to allow\`\` |

      #### Secrets

      | secret | hosts | substitutions | scrubs | refusals |
      | --- | --- | ---: | ---: | ---: |
      | \`OPENAI_API_KEY\` | \`api.example.com\` | 12 | 0 | 0 |

      #### Network

      | host | requests | blocked | sent | received | substitutions | scrubs |
      | --- | ---: | ---: | ---: | ---: | ---: | ---: |
      | \`api.example.com\` | 12 | 1 | 120 B | 1.17 KiB | 12 | 0 |
      | \`registry.example.org\` | 1 | 0 | 10 B | 4.77 MiB | 0 | 0 |
      | \`telemetry.example.net\` | 0 | 1 | 0 B | 0 B | 0 | 0 |
      | all | 13 | 2 | 130 B | 4.77 MiB |  |  |
      "
    `);
  });

  test.each(hostileTexts.map((text) => [text.slice(0, 40), text]))('%j is inert', (_, text) => {
    const summary = renderSummary(reportFullOf(text));
    const shape = renderSummary(reportFullOf('x')).split('\n');
    const lines = summary.split('\n');
    expect(lines.length, 'no line more or less than for a harmless text').toBe(shape.length);
    for (const [i, line] of lines.entries()) {
      // As GitHub reads it: cells are split first, then code spans are taken out; what is left must be Decoy's own.
      expect(line.split('|').length, line).toBe(shape[i]!.split('|').length);
      const outside = line.replaceAll(codeSpan, '');
      expect(outside).not.toContain('`');
      expect(outside, line).toMatch(/^[\w #|:,.()\-–█░%]*$/);
      expect(line).not.toMatch(/\p{Cc}|\p{Cf}|##\[/u);
    }
  });

  test('it is less than 1 MiB and ends with a whole row, whatever there is', () => {
    const report = reportFullOf('\u6f22'.repeat(5000));
    const many = <T>(row: T): T[] => Array.from({ length: 2000 }, () => row);
    const flooded = { ...report, blocked: many(report.blocked[0]!), secrets: many(report.secrets[0]!) };
    flooded.usage.network.hosts = many(report.usage.network.hosts[0]!);
    const summary = renderSummary(flooded);
    expect(Buffer.byteLength(summary)).toBeLessThan(2 ** 20);
    for (const line of summary.split('\n').filter((one) => one.startsWith('|'))) expect(line).toMatch(/\|$/);
    expect(summary).toContain('1,950 more in report.json.');
  });
});

/** CommonMark 6.1: it ends at the next run of exactly as many backticks as opened it. */
const codeSpan = /(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g;

test.each([
  ['add `a.example` to allow', '``add `a.example` to allow``'],
  ['`a`', '`` `a` ``'],
  ['a`', '`` a` ``'],
  ['a ``b`` `c`', '``` a ``b`` `c` ```'],
  ['````', '````` ```` `````'],
  ['`', '`` ` ``'],
  ['`<b>@octocat `` **x** [l](//x)', '``` `<b>@octocat `` **x** [l](//x) ```'],
  ['a`|`b\\`', '`` a`%7C`b%5C` ``'],
  [' plain ', '`plain`'],
  ['', '–'],
])('%j in a code span is what was written, backticks included: %s', (text, span) => {
  expect(markdownCode(text, 100)).toBe(span);
  const [whole, , content = ''] = [...span.matchAll(codeSpan)][0] ?? [];
  if (text !== '') expect([whole, content.replace(/^ (.*) $/, '$1')]).toEqual([span, text.trim().replaceAll('|', '%7C').replaceAll('\\', '%5C')]);
});

test('one line is `1 line added`', () => {
  expect(renderTerminal(reportOf({ changes: { files: 1, insertions: 1, deletions: 0 } }), plain)).toContain('Changes: 1 file, 1 line added, 0 removed');
});

describe('quantities', () => {
  test.each([[0, '0 B'], [1, '1 B'], [1023, '1023 B'], [1024, '1 KiB'], [1536, '1.5 KiB'], [1048575, '1 MiB'], [4 * 2 ** 30, '4 GiB'], [123.4 * 2 ** 20, '123 MiB']])('%i bytes', (bytes, text) => {
    expect(renderBytes(bytes)).toBe(text);
  });
  test.each([[0, '0 s'], [0.000004, '0 s'], [0.0042, '4.2 ms'], [0.0099999, '10 ms'], [0.01, '0.01 s'], [0.42, '0.42 s'], [12.34, '12.3 s'], [59.96, '1 min'], [60, '1 min'], [245, '4 min 5 s'], [1800, '30 min'], [3720, '1 h 2 min']])('%d seconds', (seconds, text) => {
    expect(renderSeconds(seconds)).toBe(text);
  });
  test.each([[0, '0'], [999, '999'], [1000, '1,000'], [1234567, '1,234,567']])('%i', (count, text) => expect(renderNumber(count)).toBe(text));
  test.each([[0, '░░░░'], [0.001, '█░░░'], [0.99, '███░'], [1, '████'], [7, '████'], [Number.NaN, '░░░░'], [-1, '░░░░']])('a bar of %d', (share, bar) => {
    expect(renderBar(share, 4)).toBe(bar);
  });
});
