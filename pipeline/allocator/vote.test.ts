import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { argmax } from '../experts/probabilities.ts'
import { distributions } from '../testing/distributions.ts'
import { vote } from './vote.ts'

const cases = [
  {
    name: 'the weight decides, not the number',
    opinions: [
      { weight: 0.6, probabilities: [0.4, 0.3, 0.3] },
      { weight: 0.2, probabilities: [0, 0, 1] },
      { weight: 0.2, probabilities: [0, 0, 1] },
    ],
    expected: [0.61, 0.01, 0.41],
  },
  {
    name: 'the average casts a vote where labels tie',
    opinions: [
      { weight: 0.5, probabilities: [0.4, 0.3, 0.3] },
      { weight: 0.5, probabilities: [0.1, 0.1, 0.8] },
    ],
    expected: [0.51, 0.01, 0.52],
  },
  {
    name: 'sums of rounded weights tie although they differ in the last digit',
    opinions: [
      { weight: Math.fround(0.35), probabilities: [0.4, 0.3, 0.3] },
      { weight: Math.fround(0.15), probabilities: [0.4, 0.3, 0.3] },
      { weight: Math.fround(0.5), probabilities: [0, 0, 1] },
    ],
    expected: [0.51, 0.01, 0.52],
  },
  {
    name: 'an undecided expert shares its vote',
    opinions: [{ weight: 1, probabilities: [0.4, 0.2, 0.4] }],
    expected: [0.52, 0.01, 0.51],
  },
  {
    name: 'experts without weight count the same',
    opinions: [
      { weight: 0, probabilities: [0.6, 0.2, 0.2] },
      { weight: 0, probabilities: [0.6, 0.2, 0.2] },
    ],
    expected: [1.01, 0.01, 0.01],
  },
]

for (const { name, opinions, expected } of cases)
  test(name, () => {
    const sum = expected.reduce((a, b) => a + b, 0)
    vote(opinions).forEach((p, k) => {
      assert.ok(Math.abs(p - (expected[k] ?? 0) / sum) < 1e-6, `${vote(opinions)}`)
    })
  })

/** Weights far enough apart that labels do not tie. */
const voters = fc
  .uniqueArray(distributions(3), { minLength: 1, maxLength: 5 })
  .map((opinions) => opinions.map((probabilities, i) => ({ weight: 2 ** i, probabilities })))

const isDecided = ({ probabilities }: { readonly probabilities: readonly number[] }) =>
  probabilities.filter((p) => p === Math.max(...probabilities)).length === 1

test('how sure an expert is changes nothing', () => {
  const sharpness = fc.double({ min: 0.5, max: 4, noNaN: true })
  fc.assert(
    fc.property(voters, sharpness, (opinions, power) => {
      const surer = opinions.map(({ weight, probabilities }) => {
        const raised = probabilities.map((p) => p ** power)
        const sum = raised.reduce((a, b) => a + b, 0)
        return { weight, probabilities: raised.map((p) => p / sum) }
      })
      fc.pre([...opinions, ...surer].every(isDecided))
      assert.deepEqual(vote(surer), vote(opinions))
    }),
  )
})

test('whoever has most of the weight decides', () => {
  fc.assert(
    fc.property(voters, (opinions) => {
      fc.pre(opinions.every(isDecided))
      assert.equal(argmax(vote(opinions)), argmax(opinions.at(-1)?.probabilities ?? []))
    }),
  )
})
