/** The part of jstat used here: it ships no types. */
declare module 'jstat' {
  const jstat: {
    /** Regularised incomplete beta function I_x(a, b). */
    ibeta(x: number, a: number, b: number): number
  }
  export = jstat
}
