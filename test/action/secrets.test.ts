import { expect, test } from 'vitest';
import { obeyedCommands } from './runner-commands.ts';
import { startRunner } from './run-action.ts';

const TOKEN = 'sk-realValueThatMustNeverAppear0123456789';
const PASSWORD = 'correct=horse@battery<<staple';
const KEY = ['-----BEGIN PRIVATE KEY-----', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', 'BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj==', '-----END PRIVATE KEY-----'];

test('secrets are masked and are in no output, report, log or summary; inside are placeholders', async () => {
  await using runner = startRunner();
  const { steps, outputs, log, summary, upload } = await runner.use({
    run: 'echo "token=$TOKEN"\necho "password=$PASSWORD"\ncurl --silent --max-time 5 "http://api.example.com/?q=$TOKEN" || true\necho "$TOKEN" > leaked.txt\nfalse',
    secrets: `TOKEN@api.example.com=${TOKEN}\nPASSWORD@api.example.com<<END_OF_PASSWORD\n${PASSWORD}\nEND_OF_PASSWORD`,
  });

  expect(masksOf(steps['run']?.stdout)).toEqual(expect.arrayContaining([TOKEN, PASSWORD]));
  expect(steps['run']?.stdout).toMatch(/^token=sk-\S{20,}$/m);
  expect(outputs['changed-files']).toBe('leaked.txt');
  const everything = [withoutMasks(log), summary, JSON.stringify(outputs), JSON.stringify(upload)].join('\n');
  for (const value of [TOKEN, PASSWORD]) {
    for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString('hex'), Buffer.from(value).toString('base64').slice(0, -4)]) {
      expect(everything).not.toContain(form);
    }
  }
}, 60_000);

test('a refused secret is masked too, line by line', async () => {
  await using runner = startRunner();
  const { steps, log, summary, upload } = await runner.use({ run: 'true', secrets: `KEY@api.example.com<<EOF\n${KEY.join('\n')}\nEOF\nUNBOUND=value-without-a-host` });

  expect(steps['run']?.exitCode).toBe(125);
  expect(masksOf(steps['run']?.stdout)).toEqual(expect.arrayContaining([...KEY, 'value-without-a-host']));
  const everything = [withoutMasks(log), summary, JSON.stringify(upload)].join('\n');
  for (const part of [...KEY.slice(1, 3), 'value-without-a-host']) expect(everything).not.toContain(part);
}, 60_000);

function masksOf(stdout = ''): string[] {
  return obeyedCommands(stdout).commands.filter(({ name }) => name === 'add-mask').map(({ data }) => data);
}

function withoutMasks(log: string): string {
  return log.split('\n').filter((line) => !line.startsWith('::add-mask::')).join('\n');
}
