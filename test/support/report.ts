/** How often a test repeats what luck has a part in: little in `npm test`, much in `npm run test:soak`. */
export function rounds(few: number): number {
  const factor = Number(process.env.LATCHKEY_TEST_ROUNDS ?? '1');
  return Math.ceil(few * factor);
}

/** Prints a figure that a test has measured. */
export function report(line: string): void {
  process.stderr.write(`    ${line}\n`);
}
