// Marks the versions of symbols that an older system lacks as weak in a shared object (64-bit ELF), so that the loader takes the symbols from wherever they are.
import { readFileSync, writeFileSync } from 'node:fs';

const lacking = new Set(['GLIBC_2.38', 'GLIBCXX_3.4.32']);
const versionNeeds = 0x6ffffffe;
const weak = 2;

const [, , file] = process.argv;
const elf = readFileSync(file);
const sectionsAt = Number(elf.readBigUInt64LE(0x28));
const sectionBytes = elf.readUInt16LE(0x3a);
const section = (index) => sectionsAt + index * sectionBytes;
const offsetOf = (at) => Number(elf.readBigUInt64LE(at + 0x18));
for (let index = 0; index < elf.readUInt16LE(0x3c); index += 1) {
  if (elf.readUInt32LE(section(index) + 4) === versionNeeds) loosen(offsetOf(section(index)), offsetOf(section(elf.readUInt32LE(section(index) + 0x28))));
}
writeFileSync(file, elf);

/** Verneed and Vernaux lists: https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html */
function loosen(needsAt, namesAt) {
  for (const need of list(needsAt, 12)) {
    for (const version of list(need + elf.readUInt32LE(need + 8), 12)) {
      const nameAt = namesAt + elf.readUInt32LE(version + 8);
      if (lacking.has(elf.toString('latin1', nameAt, elf.indexOf(0, nameAt)))) elf.writeUInt16LE(elf.readUInt16LE(version + 4) | weak, version + 4);
    }
  }
}

function list(at, nextAt) {
  const next = elf.readUInt32LE(at + nextAt);
  return next === 0 ? [at] : [at, ...list(at + next, nextAt)];
}
