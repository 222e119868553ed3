import { attempt } from './service.ts';

// Its role allows everything at the platform.
await attempt('GET /logs');
await attempt('GET /database/products');
await attempt('PUT /database/products', { desk: { price: 250 } });
