/** Stands for one object after another: `value` does what the current one does, for whoever was given it. */
export type Replaceable<T extends object> = { value: T; replace(next: T): void };

export function replaceable<T extends object>(first: T): Replaceable<T> {
  let current = first;
  return {
    value: new Proxy(first, { get: (_, key) => Reflect.get(current, key) as unknown }),
    replace: (next) => { current = next; },
  };
}
