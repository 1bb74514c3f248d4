/** Which part of the run is looked at, seconds from the command's start; null: all of it. Charts and requests follow each other through it. */
export type Range = { from: number; to: number } | null;
export type SharedRange = { get(): Range; set(range: Range): void; onChange(listener: (range: Range) => void): void };

export function createRange(): SharedRange {
  let current: Range = null;
  const listeners: ((range: Range) => void)[] = [];
  return {
    get: () => current,
    set(range) {
      current = range;
      listeners.forEach((listener) => listener(range));
    },
    onChange: (listener) => void listeners.push(listener),
  };
}
