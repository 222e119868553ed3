import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

/**
 * Asks for a value until it is as wanted, and resolves with it. It is patient, for the machine may be busy: a test that promises a time
 * measures it.
 *
 * @throws when it was not so in time, with the value that was seen last
 */
export async function eventually<Value>(
  ask: () => Value | Promise<Value>,
  isWanted: (value: Value) => boolean,
  { withinMs = 120_000, pauseMs = 50 } = {},
): Promise<Value> {
  for (const deadline = performance.now() + withinMs; ; await sleep(pauseMs)) {
    const value = await ask();
    if (isWanted(value)) return value;
    if (performance.now() > deadline)
      throw new Error(`not so within ${withinMs} ms; at last: ${inspect(value, { depth: 4 })}`);
  }
}
