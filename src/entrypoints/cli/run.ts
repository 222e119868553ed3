import { Command, Option } from 'commander';
import { later, repeated, withExample } from './command.ts';

const actions = () => import('./actions/run.ts');

/** `latchkey run`: a program with secrets in its environment, or in files. */
export function runCommand(): Command {
  const run = new Command('run')
    .description(
      'run a program with secrets in its environment, where each part of a secret is a variable, or in files. They are read from a server, with an API key or access token, or as a workload',
    )
    .argument('<command...>', 'the program and its arguments, after --')
    .requiredOption(
      '--secret <path>',
      'a secret, such as shop/app; may be repeated: later secrets override variables of earlier ones',
      repeated,
      [],
    )
    .addOption(new Option('--url <url>', 'the server').env('LATCHKEY_URL'))
    .addOption(
      new Option('--token <token>', 'prefer the environment variable: other processes can read a command line').env(
        'LATCHKEY_TOKEN',
      ),
    )
    .option('--role <role>', 'log in as this role, with a token of the workload, instead of a credential')
    .option('--identity <file>', 'the token of the workload', '/var/run/secrets/latchkey/token')
    .option('--auth <method>', 'how it logs in: kubernetes or jwt', 'kubernetes')
    .option(
      '--files <folder>',
      'each part of a secret is a file in this folder, on tmpfs, instead of a variable; replaced when the secret changes, and removed at the end',
    )
    .option('--files-on-disk', 'the folder may be on a disk')
    .option(
      '--on-change <what>',
      'when a secret changes: ignore it, restart the program, or send it a signal such as SIGHUP',
      'ignore',
    )
    .passThroughOptions();
  return withExample(run, 'latchkey run --secret shop/app -- node server.js').action(
    later(async () => (await actions()).run),
  );
}
