import { expect, test } from 'vitest';
import { createServiceLog } from '../../src/services/create-service-log.ts';

test('each line stands behind the service\'s name, and nothing in it is obeyed by a terminal or a runner', () => {
  const log = createServiceLog('db');
  log.add(Buffer.from('one\n::set-env name=A::b\n\x1b[2J\x1b]0;title\x07##[error]x\r\nhalf'));
  log.add(Buffer.from(' a line \u202e\x00'));
  const text = log.render();
  expect(text.split('\n').slice(0, -1).every((line) => line.startsWith('db | '))).toBe(true);
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]|##\[/);
  expect(text).toContain('db | ::set-env name=A::b\n');
  expect(log.lastWords()).toMatch(/^one \/ ::set-env name=A::b \/ .* \/ half a line /);
  expect(createServiceLog('x').render()).toBe('');
});

test('of a service that prints without end the last is kept', () => {
  const log = createServiceLog('db');
  for (let index = 0; index < 300; index++) log.add(Buffer.from(`${`line ${index} `.padEnd(16_383, '.')}\n`));
  const text = log.render();
  expect(Buffer.byteLength(text)).toBeLessThan(1.1 * 2 ** 20);
  expect(text).toMatch(/^db \| \(the first \d+ bytes are not kept\)\n/);
  expect(log.lastWords()).toContain('line 299 ');
});
