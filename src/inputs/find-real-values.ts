import type { Command } from '../config.ts';
import { quote } from '../policy/quote.ts';
import { encodedForms } from '../secrets/encodings.ts';
import type { SecretBinding } from '../secrets/secret.ts';

/**
 * Real values that the user is about to hand to the sandbox, in any form answers are scrubbed of: a shell that has put the value in the place of
 * the variable, or a workflow with `${{ secrets.NAME }}` in its script. A problem for each place; it names the secret and never the value.
 */
export function findRealValues({ env, command }: { env: Readonly<Record<string, string>>; command: Command }, secrets: readonly SecretBinding[]): string[] {
  const texts = [
    ...Object.entries(env).map(([name, text]) => ({ text, place: `env: ${quote(name)}`, remedy: (secret: string) => `leave it out, as ${quote(secret)} is there by its own name with a placeholder` })),
    ...commandTexts(command).map((text) => ({ text, ...placeOf(command) })),
  ].map(({ text, ...where }) => ({ bytes: Buffer.from(text).toString('latin1'), ...where }));
  const found = secrets.flatMap(({ name, value }) => {
    const forms = encodedForms(value).map((form) => form.text);
    return texts.flatMap(({ bytes, place, remedy }) =>
      (forms.some((form) => bytes.includes(form)) ? [`${place} holds the real value of secret ${quote(name)}, which the code must not have: ${remedy(name)}`] : []));
  });
  return [...new Set(found)];
}

function commandTexts(command: Command): readonly string[] {
  return command.kind === 'argv' ? command.argv : [command.text, ...command.shell];
}

function placeOf({ kind }: Command): { place: string; remedy(secret: string): string } {
  return kind === 'argv'
    ? { place: 'run: an argument of the command', remedy: (secret) => `let the code read ${quote(`$${secret}`)} itself, as in ${quote(`-- sh -c '… "$${secret}" …'`)}, in single quotes` }
    : { place: 'run: the script', remedy: (secret) => `write ${quote(`$${secret}`)} in it, a variable that holds a placeholder` };
}
