import type { Command } from 'commander';

/** Sees to it that a command which is typed wrongly ends with exit code 2, in all its subcommands. */
export function withUsageCode(command: Command): Command {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  for (const each of command.commands) withUsageCode(each as Command);
  return command;
}
