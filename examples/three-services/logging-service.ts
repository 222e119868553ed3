import { attempt } from './service.ts';

const entries = (count: number) => Array.from({ length: count }, (_, n) => ({ message: `request ${n}` }));

// What it is for.
await attempt('POST /logs', { entries: entries(1) });
await attempt('POST /logs', { entries: entries(500) });

// What it is not for: it never reads what was logged, not even its own.
await attempt('GET /logs');
await attempt('POST /logs', { entries: entries(100_001) });
