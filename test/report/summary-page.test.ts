import fc from 'fast-check';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { parseFragment, type DefaultTreeAdapterTypes } from 'parse5';
import { expect, test } from 'vitest';
import { renderSummary, type SummaryOptions } from '../../src/report/render-summary.ts';
import type { Report } from '../../src/report/report.ts';
import { errorReport } from '../../src/write-error-report.ts';
import { hostileTexts, reportOf, serviceOf } from './entries.ts';

type Node = DefaultTreeAdapterTypes.Node;

/** As GitHub renders it, and with raw HTML let through, which its sanitizer would still look at. */
function pageOf(markdown: string): Node {
  return parseFragment(micromark(markdown, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true, allowDangerousProtocol: true }));
}

/** Elements, their attributes and order, without text. */
function shapeOf(node: Node): string {
  const children = 'childNodes' in node ? node.childNodes.map(shapeOf).join('') : '';
  if (!('tagName' in node)) return children;
  return `<${node.tagName}${node.attrs.map(({ name, value }) => ` ${name}=${value}`).join('')}>${children}</>`;
}

/** What GitHub goes on to look at for mentions, references, emoji and addresses: text that is not code. */
function proseOf(node: Node): string {
  if ('tagName' in node && (node.tagName === 'code' || node.tagName === 'pre')) return '';
  if (node.nodeName === '#text') return (node as DefaultTreeAdapterTypes.TextNode).value;
  return 'childNodes' in node ? node.childNodes.map(proseOf).join('\n') : '';
}

/** Every text that is not Decoy's own, as if nothing before had cleaned it. */
function hostile(text: string): { report: Report; options: SummaryOptions } {
  const host = { host: text, requests: 1, blocked: 1, requestBytes: 1, responseBytes: 1, substitutions: 1, scrubs: 1 };
  const report = reportOf({
    conclusion: 'error', exitCode: 125, error: `x${text}`, image: text, imageDigest: text,
    secrets: [{ name: text, hosts: [text], placeholderPrefix: text, substitutions: 1, scrubs: 1, refusals: 1 }],
    blocked: [{ host: text, port: 443, method: text, path: text, reason: 'path-not-allowed', count: 1, remedy: text }],
    failed: [{ host: text, port: 443, method: text, path: text, reason: 'upstream-tls', count: 1, remedy: text }],
    services: [serviceOf({ name: text, image: text, imageDigest: text })], exposed: [{ port: 1, url: text, connections: 1, requests: 1, refused: 1 }, { port: 2, socket: text, connections: 1, refused: 0 }],
    changes: { files: 1, insertions: 1, deletions: 1 },
    samples: [0.1, 1, 2, 3].map((atSeconds) => ({ atSeconds, cpuSeconds: atSeconds, memoryBytes: 2 ** 30, pids: 1, storageBytes: 1, requests: atSeconds, blocked: 0 })),
  });
  report.usage.network.hosts = [host];
  return { report, options: { proposedAllow: [text], changedFiles: [{ path: text, from: text, status: 'R', insertions: 3, deletions: 1 }] } };
}

const summaryOf = (text: string) => { const { report, options } = hostile(text); return renderSummary(report, options); };
const shapes = ['x', '', ' '].map((text) => shapeOf(pageOf(summaryOf(text))));

function judge(text: string): void {
  const page = pageOf(summaryOf(text));
  // An empty text is a dash, which is no code.
  expect(shapes).toContain(shapeOf(page));
  expect(proseOf(page)).toMatch(/^[\w\s#|:,.;%+()/█░▁▂▃▄▅▆▇–-]*$/);
  expect(summaryOf(text)).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u);
}

const pieces = [
  '|', '\\', '`', '``', '```', '~~~', '\n', '\r', '\n\n', '@octocat', '#1', 'GH-1', ':tada:', 'https://evil.test/', 'www.evil.test', 'me@evil.test', '![x](http://evil.test/b.png)', '[x](http://evil.test)', '[x]: http://evil.test',
  '<img src=http://evil.test/b>', '<script>', '</details>', '</td></table>', '<!--', '-->', '</code>', '</pre>', '&#64;octocat', '&lt;', '**', '__', '~~', '# ', '- ', '> ', '$x$', '<http://evil.test>', '[^1]', '- [x] ',
  '\u202e', '\u2066', '\u200b', '\ufeff', '\u2028', '\0', '\x1b[2J', '\ud800', ' ', '\t', 'allow: |', '```mermaid\ngraph TD\nclick A "http://evil.test"\n', '%%{init: {"securityLevel": "loose"}}%%', 'a'.repeat(700),
];

test('no text that a sandbox chose becomes an element, a link, an image, a mention or a line of its own', () => {
  hostileTexts.forEach(judge);
  const text = fc.oneof(
    fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 4, unit: 'binary' })), { maxLength: 12 }).map((parts) => parts.join('')),
    fc.string({ unit: fc.constantFrom('`', '|', '\\', ' ', 'a', '\n', '<', '>', '!', '[', ']', '(', ')', '@'), maxLength: 30 }),
  );
  fc.assert(fc.property(text, judge), { numRuns: 300 });
}, 120_000);

test('the page of the test can be broken: the same texts outside of code are elements', () => {
  expect(shapeOf(pageOf('| ![x](http://evil.test/b.png) <b></b> www.evil.test'))).toMatch(/<img.*<b>.*<a href/);
});

test('it is below 1 MiB with 50,000 hosts, refusals, rules and files of the longest names, and ends with a whole line', () => {
  const { report } = hostile('\u{1f4a3}'.repeat(3000));
  const { options } = hostile('\u{1f4a3}'.repeat(3000));
  const many = <T>(rows: readonly T[] | undefined): T[] => Array.from({ length: 50_000 }, () => rows![0]!);
  report.usage.network.hosts = many(report.usage.network.hosts);
  const flooded = { ...report, blocked: many(report.blocked), failed: many(report.failed), secrets: many(report.secrets), services: many(report.services), exposed: many(report.exposed), samples: Array.from({ length: 600 }, (_, i) => ({ ...report.samples[0]!, atSeconds: i * 3 })) };
  const summary = renderSummary(flooded, { proposedAllow: many(options.proposedAllow), changedFiles: many(options.changedFiles) });
  expect(Buffer.byteLength(summary)).toBeLessThan(1024 * 1024);
  expect(summary).toContain('49,950 more in report.json.');
  expect(summary).toContain('49,950 more in the patch.');
  expect(summary.endsWith('\n')).toBe(true);
  expect(shapeOf(pageOf(summary))).not.toMatch(/<(img|a|script)\b/);
});

test('what it says: rules to paste, files by their lines, the run over time', () => {
  const { report } = hostile('x');
  const summary = renderSummary(report, {
    proposedAllow: ['GET api.example.com/v1/**', 'registry.example.org'],
    changedFiles: [{ path: 'a.ts', status: 'M', insertions: 1, deletions: 1 }, { path: 'b.ts', status: 'A', insertions: 30, deletions: 10 }, { path: 'c.bin', status: 'A', insertions: 0, deletions: 0 }],
  });
  expect(summary).toContain('```yaml\nallow: |\n  GET api.example.com/v1/**\n  registry.example.org\n```');
  expect(summary).toMatch(/`b\.ts` \| added \| \+30 \| -10 \| `\+{15}-{5}` \|\n\| `a\.ts` \| changed \| \+1 \| -1 \| `\+-?` \|\n\| `c\.bin` \| added \| \+0 \| -0 \|  \|/);
  expect(summary).toMatch(/\| memory \| [█░▁▂▃▄▅▆▇]{40} \| at most 1 GiB of 4 GiB \|/);
  expect(summary).toContain('```mermaid\n%%{init: {"themeVariables"');
  expect(summary).toContain('  x-axis "seconds" 0 --> 3.00');
  expect(renderSummary(reportOf())).not.toContain('mermaid');
});

test('inputs that were refused are listed one by one, without limits of a run that there was not', () => {
  const problems = ['memory: `x` is not a size', ...Array.from({ length: 60 }, (_, index) => `allow: allow rule \`<img src=x>${index}\`: it is none`)];
  const summary = renderSummary(errorReport(problems));
  expect(summary).toContain('61 problems with what was given: nothing was started.\n\n- ``memory: `x` is not a size``\n- ``allow: allow rule `<img src=x>0`: it is none``\n');
  expect(summary).toContain('11 more in report.json.\n\nExit code 125.\n');
  expect(summary).not.toContain('Limits');
  expect(shapeOf(pageOf(summary))).not.toContain('<img');
});
