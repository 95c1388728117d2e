/** Milliseconds since 1970 as DateTime64(3) is written: 'YYYY-MM-DD hh:mm:ss.SSS' in UTC. */
export const toStoreTime = (ms: number): string =>
  new Date(ms).toISOString().replace('T', ' ').slice(0, 23)

/** The inverse of `toStoreTime`. */
export const fromStoreTime = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`)
