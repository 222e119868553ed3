/** A test that needs a program which this machine may lack: skipped with the reason, which is printed at the end of the run. */
export function testWith(program: string | undefined, reason: string): (title: string, ...rest: TestBody) => void {
  return (title, ...rest) => {
    if (program === undefined) test.skip(`${title} (skipped: ${reason})`, ...rest);
    else test(title, ...rest);
  };
}

type TestBody = [body: () => Promise<void>, timeoutMs?: number];
