/** A number with its noun: `1 key`, `2 keys`. */
export const counted = (count: number, one: string, several: string): string =>
  `${count} ${count === 1 ? one : several}`;
