/** What a chunk of base64 stands for, and where padding was behind it. */
export type Base64Bytes = {
  bytes: Buffer;
  /** of all bytes of the text so far, how many stood before a padding; ascending */
  segmentEnds: readonly number[];
};

/** Reads base64 as a stream: one text, or several, each of whole groups of four and padded (RFC 4648, section 4), one behind the other. */
export type Base64Reader = {
  /** Each byte as soon as its characters are there. null: this is no base64, and nothing behind it is read. */
  push(text: Buffer): Base64Bytes | null;
  /** whether the text may end here */
  isWhole(): boolean;
};

/** Lenient readers skip what is no base64, take another alphabet or drop odd bits, each in its own way: only what is read in one way is taken. */
export function createBase64Reader(): Base64Reader {
  /** a group that is not whole, and how many of its bytes were given */
  let group: Buffer = Buffer.alloc(0);
  let givenBytes = 0;
  let totalBytes = 0;
  let isBroken = false;

  const read = (text: Buffer): Base64Bytes | null => {
    const groupsEnd = text.length - (text.length % GROUP);
    const parts: Buffer[] = [];
    const segmentEnds: number[] = [];
    let end = totalBytes - givenBytes;
    for (let from = 0; from < groupsEnd;) {
      const padding = text.subarray(0, groupsEnd).indexOf(EQUALS, from);
      const to = padding === -1 ? groupsEnd : padding - (padding % GROUP) + GROUP;
      const bytes = decodeGroups(text.toString('latin1', from, to));
      if (bytes === null) return null;
      parts.push(bytes);
      end += bytes.length;
      if (padding !== -1) segmentEnds.push(end);
      from = to;
    }
    const rest = text.toString('latin1', groupsEnd);
    if (!PARTIAL_GROUP.test(rest)) return null;
    const early = Buffer.from(rest, 'base64');
    const bytes = Buffer.concat([...parts, early]).subarray(givenBytes);
    group = Buffer.from(rest, 'latin1');
    givenBytes = early.length;
    totalBytes += bytes.length;
    return { bytes, segmentEnds };
  };
  return {
    push(text) {
      const result = isBroken ? null : read(group.length === 0 ? text : Buffer.concat([group, text]));
      isBroken = result === null;
      return result;
    },
    isWhole: () => !isBroken && group.length === 0,
  };
}

const GROUP = 4;
const EQUALS = 0x3d;
const GROUPS = /^[A-Za-z0-9+/]*={0,2}$/;
const PARTIAL_GROUP = /^(?:[A-Za-z0-9+/]{0,3}|[A-Za-z0-9+/]{2}=)$/;

function decodeGroups(text: string): Buffer | null {
  if (!GROUPS.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  // The bits that padding leaves over are zero.
  const isPlain = !text.endsWith('=') || bytes.subarray(bytes.length - (bytes.length % 3)).toString('base64') === text.slice(-GROUP);
  return isPlain ? bytes : null;
}
