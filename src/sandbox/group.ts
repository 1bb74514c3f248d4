/** Resources made side by side; disposing of the group waits for those still being made, then ends all of them side by side. */
export type Group = AsyncDisposable & {
  add<T extends AsyncDisposable>(making: Promise<T>): Promise<T>;
};

export function createGroup(): Group {
  const members: Promise<AsyncDisposable>[] = [];
  return {
    add: (making) => {
      members.push(making);
      // Whoever awaits it sees the failure; here it only must not go unhandled until then.
      making.catch(() => {});
      return making;
    },
    [Symbol.asyncDispose]: async () => {
      const made = (await Promise.allSettled(members.splice(0))).flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const ended = await Promise.allSettled(made.map(async (member) => member[Symbol.asyncDispose]()));
      const failure = ended.find((result) => result.status === 'rejected');
      if (failure !== undefined) throw failure.reason;
    },
  };
}

/** Containers, and what they use, such as volumes, which can only go after them. */
export function createContainerGroups(): { containers: Group; others: Group; dispose(): Promise<void> } {
  const containers = createGroup();
  const others = createGroup();
  return {
    containers,
    others,
    dispose: async () => {
      await containers[Symbol.asyncDispose]();
      await others[Symbol.asyncDispose]();
    },
  };
}
