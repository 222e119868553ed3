/** A test that needs a program that this machine may lack: then it is skipped, and the reason is printed at the end of the run. */
export function testWith(program: string | undefined, reason: string): (title: string, ...rest: TestBody) => void {
  return (title, ...rest) => {
    if (program === undefined) test.skip(`${title} (skipped: ${reason})`, ...rest);
    else test(title, ...rest);
  };
}

type TestBody = [body: () => Promise<void>, timeoutMs?: number];
