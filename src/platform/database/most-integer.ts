/** The largest `integer` of PostgreSQL. */
export const mostInteger = 2_147_483_647;
