/** Prints a figure that a test has measured. */
export function report(line: string): void {
  process.stderr.write(`    ${line}\n`);
}
