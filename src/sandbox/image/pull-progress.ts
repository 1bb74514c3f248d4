/** A line of the engine's answer to a pull (Docker Engine API, ImageCreate). */
export type PullEvent = { id?: string; status?: string; progressDetail?: { current?: number; total?: number } };

export type PullProgress = {
  add(event: PullEvent): void;
  /** what has been downloaded so far, in a few words; empty where nothing is known */
  describe(): string;
};

const MIB = 2 ** 20;

/** Adds up what the engine tells of each layer. Sizes are of the compressed layers that are downloaded. */
export function followPull(): PullProgress {
  const layers = new Map<string, { current: number; total: number; done: boolean }>();
  return {
    add: ({ id, status = '', progressDetail }) => {
      if (id === undefined || !LAYER.test(id)) return;
      const layer = layers.get(id) ?? { current: 0, total: 0, done: false };
      if (status === 'Downloading') Object.assign(layer, { current: progressDetail?.current ?? layer.current, total: progressDetail?.total ?? layer.total });
      if (status === 'Download complete') layer.current = layer.total;
      if (status === 'Pull complete' || status === 'Already exists') layer.done = true;
      layers.set(id, layer);
    },
    describe: () => {
      const all = [...layers.values()];
      const sum = (key: 'current' | 'total') => Math.round(all.reduce((total, layer) => total + layer[key], 0) / MIB);
      if (all.length === 0) return '';
      return `${all.filter(({ done }) => done).length} of ${all.length} layers done, ${sum('current')} of ${sum('total')} MiB downloaded`;
    },
  };
}

/** Beside layers, `id` names the tag. */
const LAYER = /^[0-9a-f]{12}$/;
