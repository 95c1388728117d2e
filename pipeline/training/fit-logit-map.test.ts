import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mapLogits } from '../experts/logit-map.ts'
import { argmax } from '../experts/probabilities.ts'
import { LogitTable } from '../fitting/logit-table.ts'
import { chooseLogitMap } from './choose-logit-map.ts'
import { temperatureAlone, withBiases } from './fit-logit-map.ts'

const scored = fc.array(
  fc.record({
    logits: fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 3, maxLength: 3 }),
    label: fc.integer({ min: 0, max: 2 }),
  }),
  { minLength: 1, maxLength: 30 },
)

const forms = [
  { name: 'a temperature', fit: temperatureAlone },
  { name: 'a temperature with biases', fit: withBiases },
]

for (const { name, fit } of forms) {
  test(`${name} fits the rows at least as well as no map`, () => {
    fc.assert(
      fc.property(scored, (rows) => {
        const table = new LogitTable(rows)
        const unfitted = table.loss({ temperature: 1, biases: [] })
        assert.ok(table.loss(fit(rows)) <= unfitted + 1e-4)
      }),
      { numRuns: 40 },
    )
  })

  test(`${name} is as good for the rows in another order`, () => {
    fc.assert(
      fc.property(scored, (rows) => {
        const table = new LogitTable(rows)
        const [one, other] = [fit(rows), fit(rows.toReversed())]
        assert.ok(Math.abs(table.loss(one) - table.loss(other)) < 1e-2)
      }),
      { numRuns: 40 },
    )
  })
}

test('a temperature never changes the likeliest label', () => {
  fc.assert(
    fc.property(scored, (rows) => {
      const map = temperatureAlone(rows)
      for (const { logits } of rows) {
        const found = mapLogits(logits, map)
        assert.ok((found[argmax(logits)] ?? 0) >= Math.max(...found) - 1e-12)
      }
    }),
    { numRuns: 40 },
  )
})

/** Of each 10 rows that say 0.5, 0.5 the first 8 are label 0; as many folds as told. */
const skewed = Array.from({ length: 400 }, (_, i) => ({
  logits: [0, 0],
  label: i % 10 < 8 ? 0 : 1,
  fold: i % 4,
  cluster: i,
}))
/** The same confidence, and right half the time it says so. */
const even = skewed.map((row, i) => ({ ...row, label: i % 2 }))

test('biases move probability to the label that is more frequent than the logits say', () => {
  const [p = 0] = mapLogits([0, 0], withBiases(skewed))
  assert.ok(Math.abs(p - 0.8) < 0.02, String(p))
  const [few = 0] = mapLogits([0, 0], withBiases(skewed.slice(0, 4)))
  assert.ok(few > 0.5 && few < 0.75, 'four rows move little')
})

const choices = [
  { name: 'kept where they help rows that they have not seen', rows: skewed, expected: true },
  { name: 'left out where they do not', rows: even, expected: false },
]

for (const { name, rows, expected } of choices)
  test(`biases are ${name}`, () => {
    const { map, figures, heldOut } = chooseLogitMap(rows)
    assert.equal(figures.biases.kept, expected)
    assert.equal(map.biases.length, expected ? 2 : 0)
    assert.equal(heldOut.length, rows.length)
    assert.ok(figures.calibrated.logLoss <= figures.uncalibrated.logLoss + 1e-3)
  })
