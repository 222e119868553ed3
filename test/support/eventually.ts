import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

/**
 * Polls for a value until it is as expected, and resolves with it. Its timeout is long, because the machine may be busy: a test of a
 * time limit measures the time itself.
 *
 * @throws with the last value, after the timeout
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
