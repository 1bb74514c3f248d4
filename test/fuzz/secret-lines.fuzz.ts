import { parseSecretLines, parseSecretOptions } from '../../src/inputs/parse-secrets.ts';
import { check } from './bytes.ts';

const value = 'A-real-value-0123456789';

/** The `secrets` input: no line throws, no problem quotes a value, and what is accepted is what was written. A byte of 0xff stands for a value. */
export function fuzz(data: Buffer): void {
  const text = data.toString('latin1').replaceAll('\xff', value);
  const { secrets, problems } = parseSecretLines(text);
  for (const secret of secrets) {
    check(text.replaceAll('\r\n', '\n').includes(secret.value), 'a value is what was written');
    check(secret.value.length >= 8 && secret.hosts.length > 0 && secret.hosts.length === secret.hostTexts.length, 'a secret has a value and hosts');
  }
  for (const problem of problems) check(!problem.includes('\n'), 'a problem is one line');
  const onlyValues = text.split('\n').every((line) => !line.includes(value) || /^[A-Za-z_]+@[^=<]*=/.test(line) && !line.split('=', 1)[0]!.includes(value));
  if (onlyValues && !text.includes('<<')) check(!problems.some((problem) => problem.includes(value)), 'no problem quotes a value');
  parseSecretOptions(text.split('\n'), { KEY: value });
}
