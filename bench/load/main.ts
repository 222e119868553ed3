import { mostConnections, usualConnections } from '../installation.ts';
import { Connection } from './connection.ts';
import { gatewayOperations } from './gateway-operations.ts';
import { makeVisitor, operations, type Step, type Visitor } from './operations.ts';
import { goesOn, percentiles } from './round.ts';

/** Load on a server: one loop per connection, each sending its next request after the response to the last. */
export type Job = {
  origin: string;
  operation: string;
  milliseconds: number;
  connections: number;
  stored: number;
  keys: number;
  secrets: number;
};
export type Load = { operations: number; seconds: number; p50: number; p99: number; cpuMicroseconds: number };

type Seat = { connection: Connection; person: number; visitor?: Visitor };
const seats = new Map<string, Seat[]>();

process.on('message', async (job: Job) => {
  try {
    process.send?.(await run(job));
  } catch (error) {
    process.send?.({ error: `${job.operation} at ${job.origin}: ${error instanceof Error ? error.stack : error}` });
  }
});

async function run({ origin, milliseconds, ...job }: Job): Promise<Load> {
  const taken = (await seated(origin)).slice(0, job.connections);
  await Promise.all(taken.map(({ connection }) => connection.open()));
  const steps: Step[] = [];
  // A server refuses concurrent sign-ins whose passwords it could not hash in time.
  for (let first = 0; first < taken.length; first += usualConnections) {
    const next = taken.slice(first, first + usualConnections);
    steps.push(...(await Promise.all(next.map((seat) => stepOf(seat, { milliseconds, ...job })))));
  }
  const took: number[] = [];
  const cpu = process.cpuUsage();
  const started = performance.now();
  const loop = async (step: Step) => {
    const isOn = (at: number) => goesOn(milliseconds, { after: at - started, operations: took.length });
    for (let at = performance.now(); isOn(at); ) {
      await step();
      const now = performance.now();
      if (!step.beside) took.push(now - at);
      at = now;
    }
  };
  await Promise.all(steps.map(loop));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { operations: took.length, seconds, ...percentiles(took), cpuMicroseconds: user + system };
}

/** The connections to a server; opened the first time. */
async function seated(origin: string): Promise<Seat[]> {
  const known = seats.get(origin);
  if (known) return known;
  const made = Array.from({ length: mostConnections }, (_, person) => ({ connection: new Connection(origin), person }));
  seats.set(origin, made);
  return made;
}

/** The step that a connection repeats; for most operations, a user signs in on it the first time. */
async function stepOf(seat: Seat, { operation, ...round }: Omit<Job, 'origin'>): Promise<Step> {
  const { connection, person } = seat;
  const ofGateway = gatewayOperations[operation];
  if (ofGateway) return ofGateway(connection, person, round);
  const prepare = operations[operation];
  if (!prepare) throw new Error(`there is no operation ${operation}`);
  seat.visitor ??= await makeVisitor(connection, person);
  return prepare(connection, seat.visitor, round);
}
