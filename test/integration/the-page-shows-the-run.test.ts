import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPage, startBrowser } from '../report-page/open-page.ts';
import { runDecoy } from './support/run-decoy.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I11
let workspace: Workspace;
let folder: string;
beforeAll(async () => { workspace = await openWorkspace(); folder = mkdtempSync(path.join(os.tmpdir(), 'page-')); });
afterAll(async () => { rmSync(folder, { recursive: true, force: true }); await workspace[Symbol.asyncDispose](); });

test('what a run was refused, used and changed is on its page, at its time', async () => {
  const html = path.join(folder, 'report.html');
  const end = await runDecoy(['--html', html, '--', 'sh', '-c', 'sleep 1; curl -s https://evil.example/; echo x > added.txt'], { cwd: workspace.path });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  await using browser = await startBrowser();
  await using opened = await openPage(browser, { html: readFileSync(html, 'utf8') });
  const { page } = opened;
  expect(await page.locator('h1').textContent()).toContain('The command succeeded');
  expect(await page.locator('#blocked').textContent()).toContain('evil.example');
  expect(await page.locator('#files').textContent()).toContain('added.txt');
  expect(await page.locator('#timeline canvas').count()).toBe(4);
  const seconds = Number.parseFloat((await page.locator('.requests td.start').first().textContent())!);
  expect(seconds, 'after the sleep, from the start of the command').toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(end.report!.wallSeconds);
  expect(opened).toMatchObject({ complaints: [], requests: [] });
}, 60_000);

test('a run that is refused leaves no page of an earlier one', async () => {
  const html = path.join(folder, 'report.html');
  const end = await runDecoy(['--html', html, '--memory', 'much', '--', 'true'], { cwd: workspace.path });
  expect([end.exitCode, existsSync(html) && readFileSync(html, 'utf8')]).toEqual([125, '']);
}, 60_000);
