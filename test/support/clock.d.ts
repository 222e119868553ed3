export type ShiftedClock = { offsetMs: number };

/** Runs something, and all that it starts, with a clock of its own. */
export declare function withClock<T>(clock: ShiftedClock, work: () => T): T;
