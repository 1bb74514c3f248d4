import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

export type OpenPage = AsyncDisposable & {
  page: Page;
  /** errors and warnings of the console, and what the page threw */
  complaints: string[];
  /** addresses of every request but that of the file itself */
  requests: string[];
};

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/google-chrome'];

/** The system's own. Root has no other way than without the browser's sandbox. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = PROGRAMS.find((program) => fs.existsSync(program));
  if (executablePath === undefined) throw new Error(`no browser, neither ${PROGRAMS.join(' nor ')}: install chromium`);
  return await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

/** Opens the page from a file, as who downloads it does, and waits until it is shown. */
export async function openPage(browser: Browser, { html, ...options }: { html: string } & BrowserContextOptions): Promise<OpenPage> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'report-page-'));
  const file = path.join(directory, 'report.html');
  fs.writeFileSync(file, html);
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => { complaints.push(`dialog ${dialog.message()}`); void dialog.dismiss(); });
  const { href } = pathToFileURL(file);
  await context.route('**', async (route) => {
    const url = route.request().url();
    if (url === href) return await route.continue();
    requests.push(url);
    await route.abort();
  });
  await page.goto(href);
  await page.waitForSelector('html[data-ready]', { state: 'attached' });
  return { page, complaints, requests, [Symbol.asyncDispose]: async () => { await context.close(); fs.rmSync(directory, { recursive: true }); } };
}

type Finding = { id: string; impact: string; nodes: { html: string }[] };

/** What axe-core finds that is serious or worse, or a matter of contrast. It is put in over the debugger, past the page's policy. */
export async function accessibilityFindings(page: Page): Promise<string[]> {
  await page.evaluate(fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate('axe.run()') as { violations: Finding[] };
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html).join(' ')}`);
}
