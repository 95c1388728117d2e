import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../infra/seeded-random.ts'
import {
  differenceInterval,
  type Interval,
  intervalOf,
  type Resampled,
  resample,
} from './bootstrap.ts'
import { metricNames, metricsOf } from './metrics.ts'
import { calibrationError } from './reliability.ts'
import { Outcomes, tallyOf } from './tally.ts'

const rows = 100

/** `right` of 100 rows are right, each with this confidence. */
function outcomes(right: number, confidence = 1): Outcomes {
  const judge = new Outcomes()
  for (let row = 0; row < rows; row++)
    judge.add(0, row < right ? [confidence, 1 - confidence] : [1 - confidence, confidence])
  return judge
}

/** In clusters of `size` neighbours. */
function resampled(
  judges: Readonly<Record<string, Outcomes>>,
  size = 1,
): Record<string, Resampled> {
  const of = resample(new Map(Object.entries(judges)), {
    labels: 2,
    rows: Array.from({ length: rows }, (_, row) => row),
    clusters: Array.from({ length: rows }, (_, row) => Math.floor(row / size)),
  })
  return Object.fromEntries(of)
}

function intervalOfAccuracy(judge: Outcomes, size = 1): Interval {
  const { only } = resampled({ only: judge }, size)
  assert.ok(only)
  return intervalOf('accuracy', accuracyOf(judge), only)
}

const accuracyOf = (judge: Outcomes) => metricsOf(tallyOf(judge, 2, judge.truths.keys())).accuracy
const width = ([low, high]: Interval) => high - low

describe('the interval', () => {
  it('is about that of the binomial', () => {
    const [low, high] = intervalOfAccuracy(outcomes(80))
    // 0.8 +- 1.96 * sqrt(0.8 * 0.2 / 100)
    assert.ok(Math.abs(low - 0.722) < 0.02 && Math.abs(high - 0.878) < 0.02, `${low}..${high}`)
  })

  it('is wider where rows repeat each other', () => {
    const single = width(intervalOfAccuracy(outcomes(80)))
    assert.ok(width(intervalOfAccuracy(outcomes(80), 10)) > 2 * single)
  })

  it('is a point where all rows are one cluster', () => {
    assert.deepEqual(intervalOfAccuracy(outcomes(80), rows), [0.8, 0.8])
  })

  it('is the same every time', () => {
    assert.deepEqual(intervalOfAccuracy(outcomes(70)), intervalOfAccuracy(outcomes(70)))
  })

  it('of the calibration error is the percentiles mirrored at the estimate', () => {
    const judge = outcomes(80, 0.8)
    const { only } = resampled({ only: judge })
    assert.ok(only)
    const sorted = only.calibrationError.toSorted()
    const [low, high] = [sorted[25] ?? 0, sorted[974] ?? 0]
    assert.ok(low >= 0 && high > 0.05)
    // The estimate is 0: no resample can be below it, so the truth is not said to be above.
    assert.deepEqual(intervalOf('calibrationError', 0, only), [0, 0])
    assert.deepEqual(intervalOf('calibrationError', 0.5, only), [1 - high, 1 - low])
  })
})

describe('a paired difference', () => {
  it('is narrower than two intervals say', () => {
    const { better, worse } = resampled({ better: outcomes(82), worse: outcomes(80) })
    assert.ok(better && worse)
    const paired = differenceInterval('accuracy', 0.02, better, worse)
    assert.ok(width(paired) < width(intervalOfAccuracy(outcomes(82))) / 2)
  })

  it('changes its sign with its sides, and is 0 to itself', () => {
    fc.assert(
      fc.property(fc.nat({ max: rows }), fc.nat({ max: rows }), (x, y) => {
        const { a, b } = resampled({ a: outcomes(x, 0.9), b: outcomes(y, 0.7) }, 5)
        assert.ok(a && b)
        for (const name of metricNames) {
          const [low, high] = differenceInterval(name, 0.1, a, b)
          const [otherLow, otherHigh] = differenceInterval(name, -0.1, b, a)
          assert.ok(Math.abs(low + otherHigh) < 1e-12 && Math.abs(high + otherLow) < 1e-12)
          assert.deepEqual(differenceInterval(name, 0, a, a), [0, 0])
        }
      }),
      { numRuns: 5 },
    )
  })
})

it('a difference of calibration errors mostly holds the truth', () => {
  const random = seededRandom(1)
  const everyRow = Array.from({ length: 300 }, (_, row) => row)
  const excess = 0.1
  let held = 0
  for (let sample = 0; sample < 30; sample++) {
    const [honest, overconfident] = [new Outcomes(), new Outcomes()]
    for (const _ of everyRow) {
      const confidence = 0.5 + 0.4 * random()
      const truth = random() < confidence ? 0 : 1
      honest.add(truth, [confidence, 1 - confidence])
      overconfident.add(truth, [confidence + excess, 1 - confidence - excess])
    }
    const judges = new Map(Object.entries({ honest, overconfident }))
    const of = resample(judges, { labels: 2, rows: everyRow, clusters: everyRow })
    const [a, b] = [of.get('honest'), of.get('overconfident')]
    assert.ok(a && b)
    const error = (outcomes: Outcomes) => calibrationError(tallyOf(outcomes, 2, everyRow))
    const [low, high] = differenceInterval(
      'calibrationError',
      error(honest) - error(overconfident),
      a,
      b,
    )
    if (low <= -excess && -excess <= high) held++
  }
  assert.ok(held >= 18, `${held} of 30`)
})

it('only the named rows are drawn', () => {
  const judge = outcomes(50)
  const right = Array.from({ length: 50 }, (_, row) => row)
  const of = resample(new Map([['only', judge]]), { labels: 2, rows: right, clusters: right }).get(
    'only',
  )
  assert.ok(of?.accuracy.every((accuracy) => accuracy === 1))
})
