/** The version in package.json, written in by the bundler (scripts/build.mjs). */
declare const DECOY_VERSION: string;

export const VERSION: string = DECOY_VERSION;
