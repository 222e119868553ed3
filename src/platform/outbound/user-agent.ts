/** Who asks (RFC 9110 §10.1.5): hosts behind protection against robots refuse requests that do not say. */
export const userAgent = 'Latchkey';
