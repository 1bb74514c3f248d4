import fs from 'node:fs';

/**
 * Takes variables out of this process's environment, and their values out of /proc/PID/environ, where every process of the same
 * user, and a later step's `ps e`, would go on reading them: unsetenv(3) leaves the block that execve(2) made on the stack as it is.
 * Where the kernel does not let a process write its own memory, the first half is done alone.
 */
export function forgetEnvironment(names: readonly string[]): void {
  for (const name of names) delete process.env[name];
  if (names.length === 0) return;
  try {
    overwriteInitialBlock(new Set(names));
  } catch {
    // Hardening only: who can read that block can read this process's memory, too.
  }
}

/** proc(5), /proc/PID/stat: field 50 is the address at which the environment begins; /proc/PID/environ shows the bytes from there on. */
function overwriteInitialBlock(names: ReadonlySet<string>): void {
  const stat = fs.readFileSync('/proc/self/stat', 'latin1');
  const startAddress = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[47]);
  if (!Number.isSafeInteger(startAddress) || startAddress <= 0) return;
  const block = fs.readFileSync('/proc/self/environ');
  const memory = fs.openSync('/proc/self/mem', 'r+');
  try {
    for (let start = 0, end = 0; start < block.length; start = end + 1) {
      end = block.indexOf(0, start);
      if (end < 0) end = block.length;
      const equals = block.indexOf('=', start);
      if (equals < 0 || equals >= end || !names.has(block.toString('utf8', start, equals))) continue;
      fs.writeSync(memory, Buffer.alloc(end - equals - 1, '*'), 0, end - equals - 1, startAddress + equals + 1);
    }
  } finally {
    fs.closeSync(memory);
  }
}
