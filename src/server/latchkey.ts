import { program } from '../entrypoints/cli/index.ts';
import { commandHost } from './command-host.ts';

await program(commandHost).parseAsync();
