export type ShiftedClock = { offsetMs: number };

/** Runs work, and everything that it starts, with a separate clock. */
export declare function withClock<T>(clock: ShiftedClock, work: () => T): T;
