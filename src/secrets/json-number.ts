/** RFC 8259, section 6, as an automaton: classes of bytes, and for each state where each class leads. */
export type NumberClass = 'minus' | 'plus' | 'zero' | 'digit' | 'point' | 'exponent' | 'other';

type Steps = Partial<Record<NumberClass, number>>;

const [MINUS, ZERO, INTEGER, POINT, FRACTION, EXPONENT, SIGN, POWER] = [1, 2, 3, 4, 5, 6, 7, 8];

export const NUMBER_START: Steps = { minus: MINUS, zero: ZERO, digit: INTEGER };

export const NUMBER_STEPS: Readonly<Record<number, Steps>> = {
  [MINUS]: { zero: ZERO, digit: INTEGER },
  [ZERO]: { point: POINT, exponent: EXPONENT },
  [INTEGER]: { zero: INTEGER, digit: INTEGER, point: POINT, exponent: EXPONENT },
  [POINT]: { zero: FRACTION, digit: FRACTION },
  [FRACTION]: { zero: FRACTION, digit: FRACTION, exponent: EXPONENT },
  [EXPONENT]: { plus: SIGN, minus: SIGN, zero: POWER, digit: POWER },
  [SIGN]: { zero: POWER, digit: POWER },
  [POWER]: { zero: POWER, digit: POWER },
};

/** States in which what was read is a number. */
export const NUMBER_ENDS: ReadonlySet<number> = new Set([ZERO, INTEGER, FRACTION, POWER]);

export function numberClass(byte: number): NumberClass {
  if (byte === 0x30) return 'zero';
  if (byte > 0x30 && byte <= 0x39) return 'digit';
  if (byte === 0x2d) return 'minus';
  if (byte === 0x2b) return 'plus';
  if (byte === 0x2e) return 'point';
  return (byte | 0x20) === 0x65 ? 'exponent' : 'other';
}
