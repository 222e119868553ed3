import type { Command } from 'commander';

/**
 * Makes wrong usage exit with code 2, in all subcommands, and with `--json` as JSON on standard error, like every failure.
 */
export function withUsageCode(command: Command): Command {
  const isJson = process.argv.includes('--json');
  if (isJson) command.configureOutput({ outputError: () => undefined });
  else command.showHelpAfterError(`(${nameOf(command)} --help shows the usage)`);
  command.exitOverride(({ exitCode, code, message }) => {
    if (isJson && exitCode !== 0 && code !== 'commander.help') {
      const detail = message.replace(/^error: /, '');
      const problem = { type: 'urn:latchkey:problem:usage', title: 'Wrong usage', detail };
      process.stderr.write(`${JSON.stringify(problem)}\n`);
    }
    process.exit(exitCode === 0 ? 0 : 2);
  });
  for (const each of command.commands) withUsageCode(each);
  return command;
}

function nameOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}
