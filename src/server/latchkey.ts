import { program } from '../entrypoints/cli/index.ts';
import { commandHost } from './command-host.ts';

await (await program(commandHost, process.argv.slice(2))).parseAsync();
