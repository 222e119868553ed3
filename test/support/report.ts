/** The number of repetitions of a random test: few in `npm test`, many in `npm run test:soak`. */
export function rounds(few: number): number {
  const factor = Number(process.env.LATCHKEY_TEST_ROUNDS ?? '1');
  return Math.ceil(few * factor);
}

/** Prints a measured figure of a test. */
export function report(line: string): void {
  process.stderr.write(`    ${line}\n`);
}
