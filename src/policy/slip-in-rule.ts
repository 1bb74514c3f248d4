import { quote } from './quote.ts';

/**
 * What was plainly meant by a line that is no rule: one of a list in YAML or JSON, two hosts or a method in the wrong place, the address of
 * another protocol. One clause with the line to write, or null. `methods` are those a rule may name.
 */
export function slipInRule(text: string, methods: readonly string[]): string | null {
  return listSlip(text) ?? remoteSlip(text) ?? wordSlip(text.split(/\s+/), methods);
}

function listSlip(text: string): string | null {
  if (/^[[{]\s*["']/.test(text)) return 'it is a list in brackets: write one rule a line, without brackets and quotes';
  const [, item] = /^-\s+(\S.*)$/.exec(text) ?? [];
  const [, , quoted] = /^(?:-\s+)?(["'])(.*)\1,?$/.exec(text) ?? [];
  if (quoted !== undefined) return `it stands in quotes: write ${withoutUser(quoted)}`;
  return item === undefined ? null : `it is an item of a list: write ${withoutUser(item)}, without the hyphen`;
}

/** A pasted URL may have a password before an `@`; it is not proposed with it. */
function withoutUser(rule: string): string {
  return /[@?]/.test(rule) ? 'the rule alone' : quote(rule);
}

/** Ports of the schemes people paste (IANA's registry). */
const PORTS: Readonly<Record<string, number>> = {
  ssh: 22, sftp: 22, 'git+ssh': 22, git: 9418, postgres: 5432, postgresql: 5432, mysql: 3306, redis: 6379, rediss: 6379, mongodb: 27_017, amqp: 5672, amqps: 5671, ftp: 21,
};

function remoteSlip(text: string): string | null {
  const [, remote] = /^[\w.-]+@([a-z0-9.-]+):(?!\d+(?:\/|$))[^/].*$/i.exec(text) ?? [];
  if (remote !== undefined) return `it is a remote of git over SSH: write ${quote(`tcp://${remote}:22`)}`;
  const [, scheme = '', host = '', port] = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/?#]*@)?([a-z0-9_.*-]+)(?::(\d+))?(?:[/?#].*)?$/i.exec(text) ?? [];
  if (host === '' || /^(?:https?|wss?|tcp)$/i.test(scheme)) return null;
  const known = port ?? (Object.hasOwn(PORTS, scheme.toLowerCase()) ? PORTS[scheme.toLowerCase()] : undefined);
  return `it has the scheme of another protocol than HTTP: write ${quote(`tcp://${host}:${known ?? 'PORT'}`)}${known === undefined ? ' with its port' : ''}`;
}

function wordSlip(words: readonly string[], methods: readonly string[]): string | null {
  const [first = '', ...rest] = words;
  const target = words.at(-1)!;
  if (rest.length === 0) return null;
  const isMethod = (word: string) => methods.includes(word.toUpperCase());
  if (words.length === 2 && isMethod(target) && !isMethod(first)) return `the method stands first: write ${withoutUser(`${target.toUpperCase()} ${first}`)}`;
  if (words.length === 2 && /^(?:any|all|\*)$/i.test(first)) return `no word stands for any method: write ${withoutUser(target)} alone`;
  const named = words.slice(0, -1).join(',').split(',').filter((word) => word !== '');
  if (words.length > 2 && named.every(isMethod)) {
    return `it has more than two words: write one rule a line, its methods joined by commas without spaces, as in ${withoutUser(`${named.join(',').toUpperCase()} ${target}`)}`;
  }
  return words.every((word) => /^[a-z0-9_*-]+(?:\.[a-z0-9_*-]+)+,?$/i.test(word)) ? 'it names several hosts: write one rule a line' : null;
}
