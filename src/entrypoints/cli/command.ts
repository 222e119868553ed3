import { Command } from 'commander';

/**
 * The definition of a command with the common options: `--json`, `--create`, without which no command creates an installation, and an
 * example that works. Definitions import nothing but Commander, so that help is printed at once.
 */
export function command(name: string, description: string, example: string): Command {
  const made = new Command(name)
    .description(description)
    .option('--json', 'print JSON')
    .option('--create', 'create an installation if there is none');
  return withExample(made, example);
}

export function withExample(made: Command, example: string): Command {
  return made.addHelpText('after', `\nExample:\n  ${example}`);
}

type Action = (...given: never[]) => Promise<void>;

/** An action whose module is loaded when the command runs. */
export function later(load: () => Promise<Action>): (...given: unknown[]) => Promise<void> {
  return async (...given) => (await load())(...(given as never[]));
}

/** Collects the values of an option that may be repeated. */
export const repeated = (value: string, values: string[]): string[] => [...values, value];

export const userArgument = 'a username, or id:…, username:… or email:…';
