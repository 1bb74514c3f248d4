import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exposedPorts, serviceOf } from '../report/entries.ts';
import { accessibilityFindings, openPage, startBrowser } from './open-page.ts';
import { pageOf, sampleEntries, samplePatch, sampleReport } from './page-samples.ts';

let browser: Browser;
beforeAll(async () => { browser = await startBrowser(); });
afterAll(() => browser.close());

describe.each([10, 50_000])('a run with %i requests', (count) => {
  const entries = sampleEntries(count);
  const html = pageOf(sampleReport(entries), { entries, patch: samplePatch });
  const blocked = entries.filter(({ decision }) => decision === 'blocked').length;

  test('the file is small, and the document holds only the rows in view', async () => {
    await using opened = await openPage(browser, { html });
    expect(html.length).toBeLessThan(100_000 + 20 * count);
    expect(await opened.page.locator('.requests tbody tr').count()).toBeLessThan(100);
    expect(await opened.page.locator('.requests').getAttribute('aria-rowcount')).toBe(String(count + 1));
    await opened.page.evaluate('{ const list = document.querySelector(".tall"); list.scrollTop = list.scrollHeight; }');
    await opened.page.locator(`.requests tr[aria-rowindex="${count + 1}"]`).waitFor({ state: 'visible' });
    expect(opened).toMatchObject({ complaints: [], requests: [] });
  });

  test('the keyboard alone filters, sorts, and opens a request', async () => {
    await using opened = await openPage(browser, { html });
    const { page } = opened;
    await page.locator('#filter-allowed').focus();
    await page.keyboard.press('Space');
    await page.locator('#filter-failed').focus();
    await page.keyboard.press('Space');
    await page.locator('.count').getByText(new RegExp(`^${blocked.toLocaleString('en')} of `)).waitFor();
    await page.locator('#filter-text').focus();
    await page.keyboard.type('telemetry collect');
    await page.locator('th.took button').focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('th.took').getAttribute('aria-sort')).toBe('descending');
    expect(await page.locator('.requests td.decision').allTextContents()).toEqual(expect.arrayContaining(['blocked']));
    expect(new Set(await page.locator('.requests td.decision').allTextContents())).toEqual(new Set(['blocked']));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('dialog[open]').waitFor();
    expect(await page.locator('dialog').textContent()).toContain('telemetry.example.net');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.className')).toBe('open');
    await page.locator('#filter-text').fill('no such thing');
    await page.locator('.count').getByText(/^0 of /).waitFor();
    expect(opened).toMatchObject({ complaints: [], requests: [] });
  });

  test.each(['light', 'dark'] as const)('axe finds nothing serious in the %s theme, wide or narrow', async (colorScheme) => {
    for (const width of [1360, 360]) {
      await using opened = await openPage(browser, { html, colorScheme, viewport: { width, height: 800 } });
      expect(await opened.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await opened.page.locator('summary').first().click();
      expect(await accessibilityFindings(opened.page)).toEqual([]);
      await opened.page.locator('.open').first().click();
      expect(await accessibilityFindings(opened.page)).toEqual([]);
      expect(opened).toMatchObject({ complaints: [], requests: [] });
    }
  });
});

test('arrow keys go through the list, past what is in view', async () => {
  const entries = sampleEntries(2_000);
  await using opened = await openPage(browser, { html: pageOf(sampleReport(entries), { entries }) });
  const { page } = opened;
  await page.locator('.open[tabindex="0"]').focus();
  for (const key of ['ArrowDown', 'End', 'ArrowUp', 'PageUp']) await page.keyboard.press(key);
  const position = Number(await page.evaluate('document.activeElement.dataset.position'));
  expect(position).toBeGreaterThan(1_900);
  expect(position).toBeLessThan(1_998);
  await page.keyboard.press('Home');
  expect(await page.evaluate('document.activeElement.dataset.position')).toBe('0');
});

test('a part of the run that is dragged over in a chart narrows the requests', async () => {
  const entries = sampleEntries(400);
  await using opened = await openPage(browser, { html: pageOf(sampleReport(entries), { entries }) });
  const { page } = opened;
  const plot = page.locator('.u-over').first();
  await plot.scrollIntoViewIfNeeded();
  const { x, y, width } = (await plot.boundingBox())!;
  await page.mouse.move(x + width / 4, y + 40);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + 40, { steps: 4 });
  await page.mouse.up();
  await page.locator('.count').getByText(/^1\d\d of 400 requests/).waitFor();
  expect(Number(await page.locator('#filter-from').inputValue())).toBeCloseTo(10.15, 0);
  await page.getByRole('button', { name: 'Reset' }).click();
  await page.locator('.count').getByText(/^400 requests/).waitFor();
  expect(opened.complaints).toEqual([]);
});

test('the button changes the theme, and paper is always light', async () => {
  const entries = sampleEntries(10);
  await using opened = await openPage(browser, { html: pageOf(sampleReport(entries), { entries }), colorScheme: 'light' });
  const { page } = opened;
  const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const light = await background();
  await page.getByRole('button', { name: 'Dark theme' }).click();
  expect(await background()).not.toBe(light);
  const theme = () => page.evaluate('document.documentElement.dataset.theme');
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  expect(await theme()).toBe('light');
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
  expect(await theme()).toBe('dark');
});

test('a line of configuration is copied', async () => {
  const entries = sampleEntries(10);
  await using opened = await openPage(browser, { html: pageOf(sampleReport(entries), { entries }), permissions: ['clipboard-read', 'clipboard-write'] });
  await opened.page.getByRole('button', { name: 'Copy telemetry.example.net' }).click();
  await opened.page.locator('.refusals [role="status"]').getByText('Copied').waitFor({ state: 'attached' });
  expect(await opened.page.evaluate('navigator.clipboard.readText()')).toBe('telemetry.example.net');
});

test('services and exposed ports are told, wide or narrow, and where there were none there is no such part', async () => {
  const { usage: _, ...neverRead } = serviceOf({ name: 'gone', image: 'registry.example.org/a/rather/long/name/of/an/image:2026.11.27-alpine', startSeconds: null, exitCode: 1 });
  const report = sampleReport([], { services: [serviceOf(), neverRead], exposed: [...exposedPorts] });
  for (const width of [1360, 360]) {
    await using opened = await openPage(browser, { html: pageOf(report, { entries: [] }), viewport: { width, height: 800 } });
    const { page } = opened;
    expect(await page.locator('nav a').allTextContents()).toEqual(expect.arrayContaining(['Services', 'Exposed ports']));
    const cells = (part: string) => page.evaluate(`[...document.querySelectorAll('${part} tbody tr')].map((row) => [...row.children].map((cell) => cell.innerText))`);
    expect(await cells('#services')).toEqual([
      ['db', `postgres:16\npostgres@sha256:${'5'.repeat(64)}`, 'up after 1.42 s, until the end of the run', '2.31 s on 1 cpu', '41 MiB of 512 MiB', '48 MiB of 1 GiB', '9 of 256'],
      ['gone', `${neverRead.image}\n${neverRead.imageDigest}`, 'never up, ended with exit code 1', '–', '–', '–', '–'],
    ]);
    expect(await cells('#exposed')).toEqual([
      ['8080', 'http://127.0.0.1:40123', '12 requests, 3 connections, 1 refused'], ['5432', '/run/user/1000/db.sock', '1 connection, 0 refused'],
    ]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(await accessibilityFindings(page)).toEqual([]);
    expect(opened).toMatchObject({ complaints: [], requests: [] });
  }
  await using without = await openPage(browser, { html: pageOf(sampleReport([]), { entries: [] }) });
  expect(await without.page.locator('#services, #exposed').count()).toBe(0);
});

test('a run that was refused, without log and patch, has a page too', async () => {
  const report = sampleReport([], { conclusion: 'error', exitCode: 125, error: 'memory: `4x` is no size: write one such as `4g`', samples: [], limits: { wallSeconds: 0, memoryBytes: 0, cpus: 0, storageBytes: 0, pids: 0 } });
  await using opened = await openPage(browser, { html: pageOf(report, { entries: null }) });
  expect(await opened.page.locator('h1').textContent()).toContain('memory: `4x` is no size');
  expect(await opened.page.locator('#requests').textContent()).toContain('No audit log was given');
  expect(await accessibilityFindings(opened.page)).toEqual([]);
  expect(opened).toMatchObject({ complaints: [], requests: [] });
});

test('a run in observe mode says so before all else, with what would have been blocked and the list to paste', async () => {
  const observed = [{ host: 'pypi.example.org', port: 443, method: 'GET', path: '/simple/', reason: 'host-not-allowed' as const, count: 3, remedy: 'add `pypi.example.org` to allow' }];
  const requests = [{ protocol: 'https' as const, host: 'pypi.example.org', port: 443, method: 'GET', path: '/simple/', count: 3 }];
  for (const colorScheme of ['light', 'dark'] as const) {
    const html = pageOf(sampleReport([], { mode: 'observe', observed, requests }), { entries: [] });
    await using opened = await openPage(browser, { html, colorScheme, viewport: { width: 360, height: 800 }, permissions: ['clipboard-read', 'clipboard-write'] });
    const { page } = opened;
    const header = await page.locator('header').textContent();
    expect(header).toMatch(/OBSERVE MODE, ALLOW LIST NOT ENFORCED The allow list was not enforced: 3 requests .*The command succeeded\./);
    expect(await page.locator('#observed').textContent()).toContain('GET pypi.example.org:443/simple/');
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.locator('#proposed button').click();
    await page.locator('#proposed [role="status"]').getByText('Copied').waitFor({ state: 'attached' });
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('allow: |\n  GET pypi.example.org/simple/');
    expect(opened).toMatchObject({ complaints: [], requests: [] });
  }
});

test('a run that was refused for several reasons lists them', async () => {
  const report = sampleReport([], { conclusion: 'error', exitCode: 125, error: 'a; b', problems: ['memory: `4x` is no size', 'allow: `*` is no rule'], samples: [], limits: { wallSeconds: 0, memoryBytes: 0, cpus: 0, storageBytes: 0, pids: 0 } });
  await using opened = await openPage(browser, { html: pageOf(report, { entries: null }) });
  expect(await opened.page.locator('h1').textContent()).toContain('2 problems with what was given: nothing was started.');
  expect(await opened.page.locator('.problems li').allTextContents()).toEqual(['memory: `4x` is no size', 'allow: `*` is no rule']);
  expect(await accessibilityFindings(opened.page)).toEqual([]);
});
