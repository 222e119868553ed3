// A `latchkey` that runs in the command host: it forwards the standard input, arguments, environment and folder of its process.
import { text } from 'node:stream/consumers';
import { runHostedCommand } from './hosted-server.ts';

const { COMMAND_HOST: host = '', ...env } = process.env as Record<string, string>;
const { code, stdout, stderr } = await runHostedCommand(host, {
  args: process.argv.slice(2),
  env,
  input: await text(process.stdin),
  folder: process.cwd(),
});
process.stderr.write(stderr);
process.stdout.write(stdout);
process.exitCode = code;
