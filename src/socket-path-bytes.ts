/** What the path of a Unix socket may have: sun_path has 108 bytes, the last of which is NUL (unix(7)). */
export const SOCKET_PATH_BYTES = 107;
