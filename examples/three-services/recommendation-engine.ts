import { attempt } from './service.ts';

// Its task.
await attempt('GET /database/products');
await attempt('GET /database/purchase_history');
await attempt('POST /apis/pricing', { product: 'desk' });
await attempt('PUT /cache/recommendations', { alice: ['desk', 'lamp'] });

// Outside its task.
await attempt('GET /database/user_contact_info');
await attempt('PUT /database/products', { desk: { price: 0 } });
await attempt('PUT /cache/sessions', { alice: 'admin' });
await attempt('GET /logs');
