/** A number with the English word that goes with it. */
export const plural = (n: string, one: string, many: string) => `${n} ${n === '1' ? one : many}`;
