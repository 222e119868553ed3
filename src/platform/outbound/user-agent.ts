/** The User-Agent of our requests (RFC 9110 §10.1.5): hosts with bot protection refuse requests without one. */
export const userAgent = 'Latchkey';
