/** Arbitrary probability vectors, for property tests. */
import fc from 'fast-check'

export function distributions(labels: number): fc.Arbitrary<number[]> {
  const mass = fc.double({ min: 0, max: 1, noNaN: true })
  return fc
    .array(mass, { minLength: labels, maxLength: labels })
    .map((masses) => masses.map((value) => value + 1e-9))
    .map((masses) => {
      const sum = masses.reduce((a, b) => a + b, 0)
      return masses.map((value) => value / sum)
    })
}
