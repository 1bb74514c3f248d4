/** The row that everything past a bound is counted in. No host can be called so: a name holds no `…`. */
export const OTHER_HOSTS = '…other';
