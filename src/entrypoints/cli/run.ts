import { Command, Option } from 'commander';
import { later, repeated, withExample } from './command.ts';

const actions = () => import('./actions/run.ts');

/** `latchkey run`: a program with secrets in its environment. */
export function runCommand(): Command {
  const run = new Command('run')
    .description(
      'run a program with secrets in its environment: each part of a secret is a variable. They are read from a server, with an API key or access token',
    )
    .argument('<command...>', 'the program and its arguments, after --')
    .requiredOption('--secret <path>', 'a secret, such as shop/app; may be repeated, the last one counts', repeated, [])
    .addOption(new Option('--url <url>', 'the server').env('LATCHKEY_URL'))
    .addOption(
      new Option('--token <token>', 'better in the environment: other processes can read a command line').env(
        'LATCHKEY_TOKEN',
      ),
    )
    .passThroughOptions();
  return withExample(run, 'latchkey run --secret shop/app -- node server.js').action(
    later(async () => (await actions()).run),
  );
}
