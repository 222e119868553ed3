import { attempt } from './service.ts';

const entries = (count: number) => Array.from({ length: count }, (_, n) => ({ message: `request ${n}` }));

// Its task.
await attempt('POST /logs', { entries: entries(1) });
await attempt('POST /logs', { entries: entries(500) });

// Outside its task: it never reads log entries, not even its own.
await attempt('GET /logs');
await attempt('POST /logs', { entries: entries(100_001) });
