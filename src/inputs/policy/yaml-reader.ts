import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Node, type Pair, type YAMLMap } from 'yaml';
import { quote } from '../../policy/quote.ts';
import { nearest } from '../nearest.ts';

export type Entry = { key: string; at: Node; value: unknown };

/** Reads nodes of one YAML text; whatever is wrong goes to `problems`, with file, line and column. */
export type YamlReader = {
  root: unknown;
  /** it is no YAML: what the nodes hold is guessed */
  isBroken: boolean;
  problems: string[];
  /** `FILE:LINE:COLUMN` */
  where(node: unknown): string;
  say(node: unknown, problem: string): void;
  /** the entries of a mapping whose keys are among `keys`; without them any key will do */
  entries(node: unknown, what: { name: string; keys?: readonly string[]; elsewhere?: Readonly<Record<string, string>> }): Entry[];
  items(node: unknown, name: string): unknown[];
  /** a word or number as it is written; null with a problem for anything else */
  text(node: unknown, name: string, options?: { isFree?: boolean }): string | null;
};

export function openYaml(source: string, file: string): YamlReader {
  const lineCounter = new LineCounter();
  const problems: string[] = [];
  const position = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${quote(file).slice(1, -1)}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const where = (node: unknown) => position((node as Node | null)?.range?.[0] ?? 0);
  const say = (node: unknown, problem: string) => void problems.push(`${where(node)}: ${problem}`);
  let root: unknown = null;
  let isBroken = false;
  try {
    const document = parseDocument(source, { lineCounter, version: '1.2', schema: 'core', merge: false, uniqueKeys: true, strict: true, prettyErrors: false, stringKeys: true });
    for (const { pos, code, message } of [...document.errors, ...document.warnings]) if (code !== 'TAG_RESOLVE_FAILED') problems.push(`${position(pos[0])}: ${syntaxProblem(code, message)}`);
    visit(document, {
      Alias: (_, alias) => say(alias, aliasProblem(alias.source)),
      Node: (_, node) => {
        if (!isAlias(node) && node.anchor !== undefined) say(node, `the anchor ${quote(`&${node.anchor}`)} is of no use, as aliases are not read: remove it`);
        if (!isAlias(node) && node.tag !== undefined && node.tag.startsWith('!')) say(node, `the tag ${quote(node.tag)} is not read: remove it, and put text into quotes`);
      },
    });
    root = document.contents;
    isBroken = document.errors.some(({ code }) => code !== 'DUPLICATE_KEY' && code !== 'MULTIPLE_DOCS');
  } catch (error) {
    isBroken = true;
    // Brackets in brackets without end.
    problems.push(`${position(0)}: the file cannot be read as YAML (${error instanceof RangeError ? 'it is nested too deeply' : (error as Error).name}): write it as docs/policy.md shows`);
  }
  const entries: YamlReader['entries'] = (node, { name, keys, elsewhere = {} }) => {
    if (!isMap(node)) {
      say(node, `${name} ${kindOf(node)} where names with values belong: write \`name: value\` lines`);
      return [];
    }
    return (node as YAMLMap<Node, Node | null>).items.flatMap((pair: Pair<Node, Node | null>) => {
      const key = isScalar(pair.key) ? String(pair.key.source ?? pair.key.value) : '';
      if (key === '<<') {
        say(pair.key, 'merge keys are not read: write the keys themselves, or a profile');
        return [];
      }
      if (keys === undefined || keys.includes(key)) return [{ key, at: pair.key, value: pair.value }];
      const meant = nearest(key, keys);
      const remedy = Object.hasOwn(elsewhere, key) ? elsewhere[key]! : meant === null ? `write one of ${keys.map((known) => `\`${known}\``).join(', ')}` : `write ${quote(meant)}`;
      say(pair.key, `${quote(key)} is not a key of ${name}: ${remedy}`);
      return [];
    });
  };
  return {
    root, isBroken, problems, where, say, entries,
    items(node, name) {
      if (isSeq(node)) return node.items;
      if (!isAlias(node)) say(node, `${name} ${kindOf(node)} where a list belongs: write each of its lines as an item, \`- …\``);
      return [];
    },
    text(node, name, { isFree = false } = {}) {
      if (isAlias(node)) return null;
      const problem = isScalar(node) ? scalarProblem(node.value, { written: node.source ?? '', isPlain: node.type === 'PLAIN', isFree }) : `${kindOf(node)} where text belongs: put it into quotes, if it is text`;
      if (problem === null && isScalar(node)) return typeof node.value === 'string' ? node.value : node.source ?? String(node.value);
      say(node, `${name} ${problem}`);
      return null;
    },
  };
}

function kindOf(node: unknown): string {
  if (isSeq(node)) return 'is a list';
  if (isMap(node)) return 'is a mapping (`name: value`)';
  return isScalar(node) && node.value !== null ? 'is a single value' : 'has no value';
}

/** What YAML makes of a word is not what everybody expects of it: only what can be read in one way is taken. */
function scalarProblem(value: unknown, { written, isPlain, isFree }: { written: string; isPlain: boolean; isFree: boolean }): string | null {
  if (value === null) return `has no value: write one, or ${isFree ? '`""` for the empty text' : 'leave the key out'}`;
  if (isPlain && /^[-+]?0\d|^[-+]?0[xob]/i.test(written)) return `is ${quote(written)}, a number that is read in different ways because of the zero before it: put it into quotes if it is text, or write it without`;
  if (isPlain && isFree && /^(?:y|yes|n|no|on|off|true|false|~)$/i.test(written)) return `is ${quote(written)}, which some YAML readers take for text and others for true or false: put it into quotes`;
  if (typeof value === 'string' && value.includes('\0')) return 'holds a NUL character: remove it';
  return null;
}

function aliasProblem(source: string): string {
  const written = `*${source}`;
  if (/^\*{1,2}\./.test(written)) return `${quote(written)} is an alias to YAML, because of the star: put it into quotes, ${quote(`"${written}"`)}`;
  return `the alias ${quote(written)} is not read: write what it stands for, or put it into quotes if it is text`;
}

function syntaxProblem(code: string, message: string): string {
  const [first = ''] = message.split('\n');
  const told = quote(first.replace(/[.:\s]+$/, '')).slice(1, -1);
  if (code === 'DUPLICATE_KEY') return 'this key is given twice: leave one of them out';
  if (code === 'MULTIPLE_DOCS') return 'a second YAML document begins here: write one alone, and use `profiles` for variants';
  if (code === 'BAD_ALIAS') return 'a star at the beginning of a value is an alias to YAML: put the value into quotes';
  if (code === 'TAB_AS_INDENT') return 'a tab stands where YAML wants spaces: write spaces';
  return `this is not YAML (${told}): put text with special characters into quotes, and look at how the lines are indented`;
}
