/** What the sandbox's container is started by. `name`: as the engine knows it, or null for the engine's default one. */
export type SandboxRuntime = {
  name: string | null;
  /** gVisor: the kernel the sandbox talks to is a program of its own, with processes of its own in the sandbox's cgroup */
  isGvisor: boolean;
};
