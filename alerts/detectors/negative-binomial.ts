/** Tail of a negative binomial, extended to real volumes by the incomplete beta function. */
import jstat from 'jstat'

/** Mean, and dispersion phi: variance = mean + phi * mean^2. phi = 0 is Poisson. */
export interface NegativeBinomial {
  readonly mean: number
  readonly dispersion: number
}

/** Below this the negative binomial and the Poisson tail agree to more digits than matter, and 1/phi stays in range. */
const minDispersion = 1e-6

/** Nearer to 0 the incomplete beta function has no digits left; its limit there is 1. */
const negligible = 1e-9

/** P(X >= x) = I_q(x, r), with r = 1/phi and q = mean / (mean + r); defined for every real x >= 0. */
export function upperTail({ mean, dispersion }: NegativeBinomial, x: number): number {
  if (x < negligible) return 1
  if (mean <= 0) return 0
  const r = 1 / Math.max(dispersion, minDispersion)
  return jstat.ibeta(mean / (mean + r), x, r)
}

/** P(X > x) + P(X = x) / 2: unlike P(X >= x) it is not conservative for counts (Lancaster's mid-p). */
export function midP(distribution: NegativeBinomial, x: number): number {
  return (upperTail(distribution, x) + upperTail(distribution, x + 1)) / 2
}

/** The volume that a share `level` of windows stays below. */
export function quantile(distribution: NegativeBinomial, level: number): number {
  let low = 0
  let high = 1
  while (midP(distribution, high) > 1 - level) high *= 2
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2
    if (midP(distribution, middle) > 1 - level) low = middle
    else high = middle
  }
  return low
}
