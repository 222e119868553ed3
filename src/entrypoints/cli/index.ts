/** The command line: the `latchkey` command. */
export type { CommandHost } from './host.ts';
export { program } from './program.ts';
