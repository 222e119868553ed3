import { attempt } from './service.ts';

const everybody = Array.from({ length: 10_001 }, (_, n) => `customer-${n}@example.com`);

// Its task.
await attempt('GET /database/user_contact_info');
await attempt('POST /email', { template: 'welcome', to: ['alice@example.com', 'bob@example.com'] });
await attempt('POST /email', { template: 'password_reset', to: ['alice@example.com'] });
await attempt('POST /sms', { template: 'order_confirmation', to: ['+49 30 901820'] });

// Outside its task.
await attempt('POST /email', { template: 'newsletter', to: ['alice@example.com'] });
await attempt('POST /sms', { to: ['+49 30 901820'] });
await attempt('POST /email', { template: 'welcome', to: everybody });
await attempt('GET /database/products');
