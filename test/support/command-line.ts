import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createMigratedDatabase, type TestDatabase } from './database.ts';
import { type CommandResult, CommandRunner, testRootKey } from './server.ts';

/** The `latchkey` command on its own database, without a server and without a terminal, in the command host. */
export class CommandLine {
  #database: TestDatabase | undefined;
  #folder = '';
  readonly #commands = new CommandRunner();

  async start(): Promise<void> {
    this.#database = await createMigratedDatabase();
    this.#folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-command-'));
  }

  async stop(): Promise<void> {
    await this.#database?.drop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A file of configuration as code. */
  async file(content: unknown): Promise<string> {
    const file = path.join(this.#folder, 'configuration.json');
    await writeFile(file, JSON.stringify(content));
    return file;
  }

  async run(...words: string[]): Promise<CommandResult> {
    const env = {
      DATABASE_URL: this.#database?.url ?? '',
      LATCHKEY_DATA_DIR: this.#folder,
      LATCHKEY_ROOT_KEY: testRootKey,
    };
    return this.#commands.run(words, { env });
  }

  /** Runs it with `--json` and expects it to succeed. */
  async json<Answer>(...words: string[]): Promise<Answer> {
    const { code, stdout, stderr } = await this.run(...words, '--json');
    if (code !== 0) throw new Error(`latchkey ${words.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as Answer;
  }
}

/** A command line for the tests of the enclosing block. */
export function commandLine(): CommandLine {
  const latchkey = new CommandLine();
  beforeAll(() => latchkey.start());
  afterAll(() => latchkey.stop());
  return latchkey;
}
