/** Waits for the work, but no longer than so many milliseconds: the other end of a connection may be gone without a word. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const isOver = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), isOver]);
  clearTimeout(timer);
}
