import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { UsageError } from './usage.ts';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** How long a program has to exit before it is restarted. */
const patienceMs = 10_000;

/** The program that is run: restarted with other variables, until it exits by itself. */
export class Program {
  readonly #program: string;
  readonly #given: readonly string[];
  readonly #ended = Promise.withResolvers<number>();
  #child: ChildProcess | undefined;
  /** A signal that arrived before the program was started. */
  #early: NodeJS.Signals | undefined;
  /** During a restart, its exit is not the end. */
  #restarting: Promise<void> | undefined;
  hasEnded = false;

  constructor(program: string, given: readonly string[]) {
    this.#program = program;
    this.#given = given;
    for (const signal of forwarded) process.on(signal, () => this.signal(signal));
  }

  /** Its exit code. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  /** @throws UsageError: it cannot be started */
  async start(env: NodeJS.ProcessEnv): Promise<void> {
    const child = spawn(this.#program, this.#given, { stdio: 'inherit', env });
    this.#child = child;
    child.once('exit', (code, signal) => {
      if (this.#restarting) return;
      this.hasEnded = true;
      this.#ended.resolve(code ?? (signal ? 128 + constants.signals[signal] : 1));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new UsageError(`Cannot start ${this.#program}: ${error.message}.`)));
    });
    if (this.#early) child.kill(this.#early);
    this.#early = undefined;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.#child) this.#early = signal;
    this.#child?.kill(signal);
  }

  /** Stops it, and starts it with these variables. Of several calls at once the last one counts. */
  async restart(env: NodeJS.ProcessEnv): Promise<void> {
    await this.#restarting;
    if (this.hasEnded) return;
    this.#restarting = this.#restartOnce(env).finally(() => {
      this.#restarting = undefined;
    });
    await this.#restarting;
  }

  async #restartOnce(env: NodeJS.ProcessEnv): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await exited;
      clearTimeout(hard);
    }
    await this.start(env);
  }
}
