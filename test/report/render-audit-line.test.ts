import { expect, test } from 'vitest';
import { renderAuditLine } from '../../src/report/render-audit-line.ts';
import { entryOf, hostileTexts, refusedOf } from './entries.ts';

test('the fields of the contract, in its order, without the remedy', () => {
  const line = renderAuditLine(refusedOf({ secrets: [{ name: 'KEY', substitutions: 0, scrubs: 0, refusals: 1 }] }));
  expect(line).toBe(
    '{"time":"2026-01-01T00:00:00.000Z","id":1,"protocol":"https","method":"GET","host":"api.example.com","port":443,"path":"/v1",' +
    '"decision":"blocked","rule":null,"reason":"host-not-allowed","status":403,"requestBytes":0,"responseBytes":0,"durationMs":5,' +
    '"secrets":[{"name":"KEY","substitutions":0,"scrubs":0,"refusals":1}]}\n',
  );
});

test.each(hostileTexts.map((text) => [text.slice(0, 40), text]))('%j stays one line of printable ASCII', (_, text) => {
  const secrets = Array.from({ length: 200 }, () => ({ name: text, substitutions: 1, scrubs: 1, refusals: 1 }));
  const line = renderAuditLine(entryOf({ host: text, path: text, method: text, rule: text, secrets }));
  expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  expect(line.length).toBeLessThanOrEqual(32 * 1024);
  expect(Object.keys(JSON.parse(line))).toHaveLength(15);
});

test('the longest line there can be', () => {
  const worst = '\u202e'.repeat(5000);
  const number = Number.MAX_SAFE_INTEGER;
  const secrets = Array.from({ length: 200 }, () => ({ name: worst, substitutions: number, scrubs: number, refusals: number }));
  const line = renderAuditLine(entryOf({ host: worst, path: worst, method: worst, rule: worst, secrets, requestBytes: number, responseBytes: number, durationMs: 0.1 + 0.2 }));
  expect(line.length).toBeLessThanOrEqual(32 * 1024);
});

test('a query is left out, even if an entry should hold one', () => {
  expect(JSON.parse(renderAuditLine(entryOf({ path: '/a?token=hunter2' }))).path).toBe('/a');
});
