/**
 * The gVisor release that is fetched by default: the address its installation guide gives for a specific release
 * (https://gvisor.dev/docs/user_guide/install/). Its digest is not pinned here: see docs/runtimes.md.
 */
const RELEASE = '20260511';

/** Of `process.arch`, as gVisor names them. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** @throws Error where there is no gVisor for the architecture */
export function releaseUrl(arch: string): string {
  const name = ARCHITECTURES[arch];
  if (name === undefined) throw new Error(`gVisor has no release for ${JSON.stringify(arch)}: use \`runtime: runc\`, or an x64 or arm64 machine`);
  return `https://storage.googleapis.com/gvisor/releases/release/${RELEASE}/${name}/runsc`;
}
