/** What the machine's environment says of gVisor's program, unchecked. */
export type RunscSource = {
  /** DECOY_RUNSC_URL: an https address; `.sha512` behind it is that of its digest. By default the release of `release.ts` */
  url?: string | undefined;
  /** DECOY_RUNSC_SHA512: what the program must be, in hex */
  sha512?: string | undefined;
  /** where it is kept: a tool cache of @actions/tool-cache */
  cacheDirectory: string;
};
