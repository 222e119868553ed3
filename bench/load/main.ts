import { connections } from '../installation.ts';
import { Connection } from './connection.ts';
import { makeVisitor, operations, type Visitor } from './operations.ts';
import { goesOn, percentiles } from './round.ts';

/** Put load on a server: as many loops as connections, each sending its next request when the last was answered. */
export type Job = { origin: string; operation: string; milliseconds: number; stored: number };
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

async function run({ origin, operation, milliseconds, stored }: Job): Promise<Load> {
  const taken = await seated(origin);
  await Promise.all(taken.map(({ connection }) => connection.open()));
  const prepare = operations[operation];
  if (!prepare) throw new Error(`there is no operation ${operation}`);
  const steps = await Promise.all(
    taken.map(({ connection, visitor }) => prepare(connection, visitor, { milliseconds, stored })),
  );
  const took: number[] = [];
  const cpu = process.cpuUsage();
  const started = performance.now();
  const loop = async (step: () => Promise<void>) => {
    const isOn = (at: number) => goesOn(milliseconds, { after: at - started, operations: took.length });
    for (let at = performance.now(); isOn(at); ) {
      await step();
      const now = performance.now();
      took.push(now - at);
      at = now;
    }
  };
  await Promise.all(steps.map(loop));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { operations: took.length, seconds, ...percentiles(took), cpuMicroseconds: user + system };
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
