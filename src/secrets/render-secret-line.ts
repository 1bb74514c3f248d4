import { quote } from '../policy/quote.ts';
import type { Secret } from './secret.ts';

type Changes = { hosts?: readonly string[]; places?: readonly string[]; max?: number };

/** What to write to bind the secret as it is, but for the changes, and where: right in a workflow and on the command line, where a shell would take the `;` for its own. */
export function renderSecretLine({ name, hostTexts, pins }: Secret, changes: Changes): string {
  const hosts = changes.hosts ?? hostTexts;
  const places = changes.places ?? pins?.places.map(({ text }) => text) ?? [];
  const max = changes.max ?? pins?.max ?? 1;
  const line = `${name}@${hosts.join(',')}${places.length > 0 ? `;in=${places.join(',')}` : ''}${max > 1 ? `;max=${max}` : ''}`;
  return `write ${quote(line)} in secrets (\`--secret '…'\` on the command line)`;
}
