/** Waits for the work, but no longer than so many milliseconds: the peer of a connection may have disappeared without closing it. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const isOver = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), isOver]);
  clearTimeout(timer);
}
