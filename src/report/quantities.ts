/** `1.5 GiB`: binary units, three significant digits. */
export function renderBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${significant(value)} ${units[unit]}`;
}

/** `4.2 ms`, `0.42 s`, `12.3 s`, `4 min 5 s`, `1 h 2 min`. */
export function renderSeconds(seconds: number): string {
  const milliseconds = significant(seconds * 1000);
  if (seconds < 0.01 && milliseconds !== '0') return `${milliseconds} ms`;
  if (seconds < 59.95) return `${significant(seconds)} s`;
  const whole = Math.round(seconds);
  const parts = [`${Math.floor(whole / 3600)} h`, `${Math.floor((whole % 3600) / 60)} min`, `${whole % 60} s`];
  return parts.filter((part) => !part.startsWith('0 ')).slice(0, 2).join(' ');
}

/** `1 request`, `1,234 requests`. */
export function renderCount(count: number, noun: string): string {
  return `${renderNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1,234,567` */
export function renderNumber(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** At most three significant digits, and no zeros that say nothing. */
function significant(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)) >= 0.01 ? Number(value.toPrecision(3)) : 0);
}
