import type { HttpRule } from './policy.ts';

/** The rules of one host, found by the path of a request. */
export type PathIndex = {
  add(rule: HttpRule): void;
  /** Every rule that may cover the path, in the order they were added; `null` is a path no path rule covers. */
  candidates(path: string | null): readonly HttpRule[];
};

/**
 * A tree over the segments of each path pattern up to its first wildcard. A request walks down its own segments and meets the rules
 * whose beginning is its own, so that ten thousand rules of one host cost it no more than ten; what follows the beginning is `matchPath`'s.
 */
export function createPathIndex(): PathIndex {
  const anyPath: Numbered[] = [];
  const root = createNode();
  let added = 0;
  return {
    add(rule) {
      const numbered = { rule, number: added };
      added += 1;
      if (rule.path === null) anyPath.push(numbered);
      else nodeFor(root, literalSegments(rule.path)).rules.push(numbered);
    },
    candidates(path) {
      const found = path === null || root.children.size === 0 ? anyPath : [...anyPath, ...rulesAlong(root, path.split('/'))];
      return found.toSorted((a, b) => a.number - b.number).map(({ rule }) => rule);
    },
  };
}

type Numbered = { rule: HttpRule; number: number };
type Node = { rules: Numbered[]; children: Map<string, Node> };

function createNode(): Node {
  return { rules: [], children: new Map() };
}

function literalSegments(pattern: string): string[] {
  const segments = pattern.split('/');
  const wildcard = segments.findIndex((segment) => segment.includes('*'));
  return wildcard === -1 ? segments : segments.slice(0, wildcard);
}

function nodeFor(root: Node, segments: readonly string[]): Node {
  let node = root;
  for (const segment of segments) {
    const child = node.children.get(segment) ?? createNode();
    node.children.set(segment, child);
    node = child;
  }
  return node;
}

function rulesAlong(root: Node, segments: readonly string[]): Numbered[] {
  const found = [...root.rules];
  let node: Node | undefined = root;
  for (const segment of segments) {
    node = node.children.get(segment);
    if (node === undefined) break;
    found.push(...node.rules);
  }
  return found;
}
