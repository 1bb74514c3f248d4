import fs from 'node:fs';

/**
 * Leaves this process's memory, which holds the real secrets, out of any core dump: one is written to the working directory, which
 * the next sandbox may see. No bit of the filter is a kind of memory that is dumped (core(5)). Children inherit it.
 */
export function keepOutOfCoreDumps(): void {
  try {
    fs.writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // A kernel without CONFIG_ELF_CORE writes none.
  }
}
