import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const dist = path.resolve(import.meta.dirname, '../../dist');

// e_ident and e_machine of elf(5); there is no loader in the containers it starts in, so it may ask for none (PT_INTERP, 3).
test.each([['x64', 62], ['arm64', 183]])('the guest program for %s is one, and needs nothing else', (arch, machine) => {
  const program = fs.readFileSync(path.join(dist, `decoy-guest-linux-${arch}`));
  expect(program.toString('latin1', 0, 7)).toBe('\x7fELF\x02\x01\x01');
  expect(program.readUInt16LE(18)).toBe(machine);
  expect(segmentTypes(program)).not.toContain(3);
});

function segmentTypes(program: Buffer): number[] {
  const start = Number(program.readBigUInt64LE(32));
  return Array.from({ length: program.readUInt16LE(56) }, (_, index) => program.readUInt32LE(start + index * program.readUInt16LE(54)));
}
