import { randomBytes } from 'node:crypto';
import type { SandboxParts } from './prepare-sandbox.ts';
import { sandboxEnvironment } from './sandbox/environment.ts';
import type { RootLayout } from './sandbox/exposed-trees.ts';
import { chooseShell } from './sandbox/image/choose-shell.ts';
import { imageEnvironment } from './sandbox/image/image-environment.ts';
import type { ImageLayout } from './sandbox/image/image-layout.ts';
import { userHome, userName } from './sandbox/runner-files/accounts.ts';
import type { Command } from './sandbox/sandbox.ts';
import { trustEnvironment } from './trust/environment.ts';

export type CommandParts = Pick<SandboxParts, 'config' | 'host' | 'secrets'>;

/** `imageLayout`: null for the runner's own tools. */
export type CommandSurroundings = { layout: RootLayout; user: { uid: number }; imageLayout: ImageLayout | null };

/** The command as Decoy's init is told it: its arguments, where it starts and its whole environment. */
export function describeCommand(parts: CommandParts, surroundings: CommandSurroundings): Command {
  const { command, workspace, workingDirectory } = parts.config;
  const { imageLayout } = surroundings;
  const shell = command.kind === 'script' && imageLayout !== null ? chooseShell(command, imageLayout) : command.kind === 'script' ? command.shell : [];
  return {
    argv: command.kind === 'argv' ? command.argv : shell,
    directory: workingDirectory ?? (workspace.mode === 'none' ? imageLayout?.image.workingDirectory ?? userHome : workspace.path),
    environment: describeEnvironment(parts, surroundings),
    token: randomBytes(16).toString('hex'),
  };
}

function describeEnvironment({ config, host, secrets }: CommandParts, { layout, user, imageLayout }: CommandSurroundings): Record<string, string> {
  const home = user.uid === 0 ? '/root' : userHome;
  const common = {
    host: host.environment, env: config.env,
    trust: trustEnvironment({ bundle: '/decoy/bundle.pem', authority: '/decoy/ca.pem', trustStore: '/decoy/truststore.p12' }),
    placeholders: Object.fromEntries(secrets.map(({ name, placeholder }) => [name, placeholder])),
  };
  if (imageLayout !== null) return imageEnvironment({ ...common, image: imageLayout.image, user: { name: imageLayout.accounts.name, home } });
  return sandboxEnvironment({ ...common, path: host.path, trees: layout.trees, user: { name: user.uid === 0 ? 'root' : userName, home } });
}
