import type { FieldStep } from './place.ts';

/** Where in a JSON text the reader is, and which of the fields can still be there. */
export type JsonPath = {
  depth(): number;
  isObject(): boolean;
  enter(kind: 'object' | 'array'): void;
  leave(): void;
  beginKey(): void;
  /** the next bytes of a key, escapes as they stand and never cut */
  addToKey(raw: Buffer): void;
  endKey(): void;
  nextItem(): void;
  /** indices of the fields that a value which begins here is */
  fieldsHere(): readonly number[];
};

/** `fields`, step by step, from the outermost value; null is any key or index. Memory does not depend on the length of keys. */
export function createJsonPath(fields: readonly (readonly FieldStep[])[]): JsonPath {
  const levels: Level[] = [];
  /** fields whose steps so far are those to the value that begins next */
  let here: readonly number[] = fields.map((_, index) => index);
  // A character takes at most six bytes, as an escape: of a longer key it is clear that it is none of the steps.
  const longestKey = 6 * Math.max(0, ...fields.flat().map((step) => step?.length ?? 0));

  /** The fields that go on with `key` from the container the reader is in. */
  const follow = (level: Level, key: string | null): readonly number[] =>
    level.fields.filter((index) => {
      const step = fields[index]![levels.length - 1];
      return step === null || (step !== undefined && step === key);
    });

  return {
    depth: () => levels.length,
    isObject: () => levels.at(-1)!.kind === 'object',
    enter(kind) {
      const level: Level = { kind, fields: here.filter((index) => fields[index]!.length > levels.length), index: 0, key: [], keyBytes: 0 };
      levels.push(level);
      here = kind === 'array' ? follow(level, '0') : [];
    },
    leave() {
      levels.pop();
      here = [];
    },
    beginKey() {
      Object.assign(levels.at(-1)!, { key: [], keyBytes: 0 });
    },
    addToKey(raw) {
      const level = levels.at(-1)!;
      level.keyBytes += raw.length;
      if (level.fields.length > 0 && level.keyBytes <= longestKey) level.key.push(Buffer.from(raw));
    },
    endKey() {
      const level = levels.at(-1)!;
      if (level.fields.length === 0) return void (here = []);
      const isShort = level.keyBytes <= longestKey;
      here = follow(level, isShort ? (JSON.parse(`"${Buffer.concat(level.key).toString()}"`) as string) : null);
      level.key = [];
    },
    nextItem() {
      const level = levels.at(-1)!;
      level.index += 1;
      here = level.kind === 'array' && level.fields.length > 0 ? follow(level, String(level.index)) : [];
    },
    fieldsHere: () => here.filter((index) => fields[index]!.length === levels.length),
  };
}

type Level = {
  kind: 'object' | 'array';
  /** that may be in this container */
  fields: readonly number[];
  /** in an array */
  index: number;
  key: Buffer[];
  keyBytes: number;
};
