import { matchPath } from '../policy/match-path.ts';

/** More names than this side by side are taken for what differs from one request to the next. */
const MANY = 4;

/**
 * The fewest patterns that still say what is asked for: segments that are numbers, hashes or identifiers become `*`, many names side by side `**`. Takes
 * patterns as well as paths, so that what was folded can be folded again. Each of them is covered by one of the result, which is sorted;
 * `/**` alone is any path.
 */
export function foldPaths(patterns: readonly string[]): string[] {
  const root = createNode();
  for (const pattern of patterns) add(root, pattern.split('/').map((segment) => (isIdentifier(segment) ? '*' : segment)));
  const folded = render(root, '').map((pattern) => pattern.slice(1));
  return folded.filter((pattern, index) => !folded.some((other, at) => at !== index && covers(other, pattern))).sort();
}

/** Whether every path of one pattern is one of the other: wildcards of the narrower are characters like others to the wider. */
export function covers(wide: string, narrow: string): boolean {
  return wide !== narrow && matchPath(wide, narrow.replace(/\*\*$/, '*')) && (!narrow.endsWith('/**') || wide.endsWith('/**'));
}

type Node = { ends: boolean; children: Map<string, Node> };

function createNode(): Node {
  return { ends: false, children: new Map() };
}

function add(root: Node, segments: readonly string[]): void {
  let node = root;
  for (const segment of segments) {
    const child = node.children.get(segment) ?? createNode();
    node.children.set(segment, child);
    node = child;
  }
  node.ends = true;
}

function render({ ends, children }: Node, above: string): string[] {
  const here = ends ? [above] : [];
  if (children.has('**') || children.size > MANY) return [...here, `${above}/**`];
  return [...here, ...[...children].flatMap(([segment, child]) => render(child, `${above}/${segment}`))];
}

const IDENTIFIERS: readonly RegExp[] = [
  /^\d+$/,
  /^\d{4}-\d\d-\d\d(?:T.*)?$/,
  /^(?=.*\d)[0-9a-f]{7,}$/i,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  /^sha(?:1|256|384|512)[:-]/i,
  // `cus_9s6XKzkNRiz8i3`, `msg-01XFDUDYJgAACzvnptvVoYEL`
  /^[a-z]{2,12}[_-](?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{12,}$/,
  // Random characters have digits all over, words rarely four.
  /^(?=(?:.*\d){4})(?=.*[A-Za-z])[A-Za-z0-9_-]{20,}$/,
];

function isIdentifier(segment: string): boolean {
  return IDENTIFIERS.some((form) => form.test(segment));
}
