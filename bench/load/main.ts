import { connections } from '../installation.ts';
import { Connection } from './connection.ts';
import { makeVisitor, operations, type Visitor } from './operations.ts';

// On a busy machine a round lasts longer, or start-up and compiling would be what is measured.
const leastOperations = 1000;
const longest = 4;

/** Put load on a server: as many loops as connections, each sending its next request when the last was answered. */
export type Job = { origin: string; operation: string; milliseconds: number };
export type Load = { operations: number; seconds: number; p50: number; p99: number; cpuMicroseconds: number };

type Seat = { connection: Connection; visitor: Visitor };
const seats = new Map<string, Seat[]>();

process.on('message', async (job: Job) => {
  try {
    process.send?.(await run(job));
  } catch (error) {
    process.send?.({ error: `${job.operation} at ${job.origin}: ${error instanceof Error ? error.stack : error}` });
  }
});

async function run({ origin, operation, milliseconds }: Job): Promise<Load> {
  const taken = await seated(origin);
  await Promise.all(taken.map(({ connection }) => connection.open()));
  const steps = taken.map(({ connection, visitor }) => {
    const prepare = operations[operation];
    if (!prepare) throw new Error(`there is no operation ${operation}`);
    return prepare(connection, visitor);
  });
  const took: number[] = [];
  const cpu = process.cpuUsage();
  const started = performance.now();
  const goesOn = (ms: number) => ms < milliseconds || (took.length < leastOperations && ms < longest * milliseconds);
  const loop = async (step: () => Promise<void>) => {
    for (let at = performance.now(); goesOn(at - started); ) {
      await step();
      const now = performance.now();
      took.push(now - at);
      at = now;
    }
  };
  await Promise.all(steps.map(loop));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  took.sort((a, b) => a - b);
  const percentile = (share: number) => took[Math.floor(took.length * share)] ?? 0;
  return {
    operations: took.length,
    seconds,
    p50: percentile(0.5),
    p99: percentile(0.99),
    cpuMicroseconds: user + system,
  };
}

/** The connections to a server, with somebody signed in on each; made the first time. */
async function seated(origin: string): Promise<Seat[]> {
  const known = seats.get(origin);
  if (known) return known;
  const made: Seat[] = [];
  for (let person = 0; person < connections; person += 1) {
    const connection = new Connection(origin);
    await connection.open();
    made.push({ connection, visitor: await makeVisitor(connection, person) });
  }
  seats.set(origin, made);
  return made;
}
