import { Command } from 'commander';
import { serve } from './serve.ts';

const program = new Command('latchkey').description(
  'OAuth 2.0 and OpenID Connect authorization server for AI services.',
);
program.command('serve').description('start the server').action(serve);
await program.parseAsync();
