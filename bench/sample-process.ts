import { readFileSync } from 'node:fs';

/** CPU time spent, which other work on the machine hardly changes, and the highest resident memory above what it was at the start. */
export function sampleProcess(pid: number): { stop(): { cpuSeconds: number; grownBytes: number } } {
  // proc(5): utime and stime are the 14th and 15th field, in hundredths of a second; the name before them may hold spaces.
  const cpuSeconds = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const resident = () => residentBytes(pid);
  const before = resident();
  const cpuBefore = cpuSeconds();
  let highest = before;
  const timer = setInterval(() => { highest = Math.max(highest, resident()); }, 20);
  return {
    stop() {
      clearInterval(timer);
      return { cpuSeconds: cpuSeconds() - cpuBefore, grownBytes: Math.max(highest, resident()) - before };
    },
  };
}

export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+([0-9]+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}
