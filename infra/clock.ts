/** Wall-clock time in milliseconds since 1970, passed as an argument wherever a decision depends on it. */
export type Clock = () => number

export const systemClock: Clock = () => Date.now()
