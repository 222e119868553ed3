/** A response that was sent before Koa, for metrics and the log; its start is a value of `performance.now()`. */
export type ObservedAnswer = {
  method: string;
  path: string;
  /** The template of the path. */
  route: string;
  status: number;
  request_id: string;
  startedAt: number;
  /** Whether it was answered from memory alone. */
  isFromMemory: boolean;
};
