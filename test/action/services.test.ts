import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { busybox, file, openTestImage } from '../integration/support/test-image.ts';
import { startRunner } from './run-action.ts';

// I10, I20, I21
test('the step has its services from YAML, their log in the artifact, and tells where its ports are without their tokens', async () => {
  await using image = openTestImage({ entries: [...busybox('sh', 'echo', 'httpd'), file('www/up', 'up\n')] });
  await using runner = startRunner();
  const services = `web:\n  image: ${image.reference}\n  command: [/bin/sh, -c, "echo '::set-output name=x::y'; exec httpd -f -p 127.0.0.1:7000 -h /www"]\n  health-port: 7000\n`;
  const used = await runner.use({ run: 'curl -s http://web:7000/up', services, expose: '7000\n8081\n', 'report-artifact': '' });
  expect(used.failed, used.log).toBe(false);
  expect(used.steps['run']?.stdout).toMatch(/^up$/m);
  expect(used.steps['run']?.stdout).toMatch(/^Decoy: port 7000 of the sandbox is http:\/\/127\.0\.0\.1:\d+\/; nobody has its token: name a file for it as expose-file$/m);
  expect(JSON.parse(used.outputs['exposed'] as string)).toEqual([7000, 8081].map((port) => ({ port, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/), connections: 0, requests: 0, refused: 0 })));
  const log = path.join(path.dirname(used.outputs['report'] as string), 'services.log');
  expect(readFileSync(log, 'utf8')).toBe('web | ::set-output name=x::y\n');
  expect(used.steps['run']?.stdout).not.toContain('::set-output');
  const plain = await runner.use({ run: 'true', 'report-artifact': '' });
  expect([plain.outputs['exposed'], existsSync(path.join(path.dirname(plain.outputs['report'] as string), 'services.log'))]).toEqual(['[]', false]);
}, 120_000);
