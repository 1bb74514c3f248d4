import { nearest } from './inputs/nearest.ts';
import { quote } from './policy/quote.ts';

/** `one` and `many` take a value; `example` is a value to propose. */
export type OptionSpec = { takes: 'nothing' } | { takes: 'one' | 'many'; example: string };

export type Arguments<Name extends string> = {
  help: boolean;
  /** the option's values in order; those of a flag are empty */
  values: Readonly<Partial<Record<Name, string[]>>>;
  words: string[];
  /** what follows `--`; null where there is none */
  command: string[] | null;
  problems: string[];
};

/**
 * Reads the arguments of a verb: `--name value`, `--name=value` and words, up to `--`. Never throws: everything that is wrong is
 * listed. What follows an option nobody knows is left unread and unquoted, for it may be that option's value, and a secret.
 */
export function parseArguments<Name extends string>(
  args: readonly string[],
  { verb, options }: { verb: string; options: Readonly<Record<Name, OptionSpec>> },
): Arguments<Name> {
  const separator = args.indexOf('--');
  const own = separator < 0 ? args : args.slice(0, separator);
  const values: Partial<Record<Name, string[]>> = {};
  const parsed: Arguments<Name> = { help: false, values, words: [], command: separator < 0 ? null : args.slice(separator + 1), problems: [] };
  const names = Object.keys(options);
  for (let index = 0; index < own.length; index++) {
    const argument = own[index]!;
    if (argument === '--help' || argument === '-h') {
      parsed.help = true;
      continue;
    }
    if (!argument.startsWith('-') || argument === '-') {
      parsed.words.push(argument);
      continue;
    }
    const [, name = '', inline] = /^--([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    const spec = Object.hasOwn(options, name) ? options[name as Name] : undefined;
    const next = own[index + 1];
    const following = next === undefined || next.startsWith('--') ? undefined : next;
    if (spec === undefined) {
      parsed.problems.push(unknownOption(argument, { name, verb, names }));
      if (inline === undefined && following !== undefined && !following.startsWith('-')) index += 1;
      continue;
    }
    const given = (values[name as Name] ??= []);
    if (spec.takes === 'nothing') {
      if (inline === undefined) given.push('');
      else parsed.problems.push(valueTooMany(name, inline));
      if (inline === undefined && following !== undefined && SWITCHES.has(following.toLowerCase())) {
        parsed.problems.push(valueTooMany(name, following));
        index += 1;
      }
      continue;
    }
    const value = inline ?? following;
    if (inline === undefined && following !== undefined) index += 1;
    if (value === undefined) parsed.problems.push(missingValue(name, spec.example));
    else if (spec.takes === 'one' && given.some((earlier) => earlier !== value)) parsed.problems.push(`\`--${name}\` is given as ${quote(given[0]!)} and as ${quote(value)}: give it once`);
    else given.push(value);
  }
  return parsed;
}

function unknownOption(argument: string, { name, verb, names }: { name: string; verb: string; names: readonly string[] }): string {
  const option = argument.replace(/=.*$/s, '');
  const meant = nearest(name || option.replace(/^-/, ''), names);
  return `${quote(option)} is not an option of \`decoy ${verb}\`: ${meant === null ? `see \`decoy ${verb} --help\` for those there are` : `write \`--${meant}\``}`;
}

/** What people write behind a flag; `true` and `false` are commands, too, but those stand behind `--`. */
const SWITCHES: ReadonlySet<string> = new Set(['true', 'false', 'yes', 'no', 'on', 'off', '1', '0']);

function valueTooMany(name: string, value: string): string {
  const isOff = /^(?:false|no|off|0)$/i.test(value);
  return `\`--${name}\` takes no value, but has ${quote(value)}: ${isOff ? 'leave it out' : `write only \`--${name}\``}`;
}

function missingValue(name: string, example: string): string {
  return `\`--${name}\` needs a value: write ${quote(`--${name} ${example}`)}`;
}
