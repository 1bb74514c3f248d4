import type { Secret } from './secret.ts';

type Changes = { hosts?: readonly string[]; places?: readonly string[]; max?: number };

/** The command-line option that binds the secret as it is, but for the changes. */
export function renderSecretOption({ name, hostTexts, pins }: Secret, changes: Changes): string {
  const hosts = changes.hosts ?? hostTexts;
  const places = changes.places ?? pins?.places.map(({ text }) => text) ?? [];
  const max = changes.max ?? pins?.max ?? 1;
  const option = `${name}@${hosts.join(',')}${places.length > 0 ? `;in=${places.join(',')}` : ''}${max > 1 ? `;max=${max}` : ''}`;
  return `--secret ${option.includes(';') ? `'${option}'` : option}`;
}
