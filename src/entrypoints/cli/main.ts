import { program } from './program.ts';

await (await program(process.argv.slice(2))).parseAsync();
