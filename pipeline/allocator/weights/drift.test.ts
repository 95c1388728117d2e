import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../infra/seeded-random.ts'
import { type Drift, type DriftState, noVerdicts, watchDrift } from './drift.ts'
import { expertDrift, fusedDrift } from './model.ts'

interface Found extends Drift {
  /** Verdict at which it was found. */
  readonly at: number
}

function driftsIn(errors: Iterable<boolean>, rates = fusedDrift): Found[] {
  let state: DriftState = noVerdicts
  const found: Found[] = []
  let at = 0
  for (const isError of errors) {
    const watched = watchDrift(state, isError, rates)
    state = watched.state
    if (watched.drift !== undefined) found.push({ ...watched.drift, at })
    at += 1
  }
  return found
}

/** Verdicts of one accuracy after another. */
function verdicts(seed: number, ...stretches: readonly { accuracy: number; count: number }[]) {
  const random = seededRandom(seed)
  return stretches.flatMap(({ accuracy, count }) =>
    Array.from({ length: count }, () => random() >= accuracy),
  )
}

const seeds = Array.from({ length: 30 }, (_, seed) => seed)

for (const accuracy of [0.7, 0.85]) {
  test(`at ${accuracy}: less than one false alarm in 10,000 verdicts`, () => {
    const alarms = seeds.flatMap((seed) => driftsIn(verdicts(seed, { accuracy, count: 10_000 })))
    assert.ok(alarms.length < seeds.length, `${alarms.length} in ${seeds.length} streams`)
  })

  test(`at ${accuracy}: a drop of 10 points is found within 300 verdicts, in the middle of streams`, () => {
    const count = 1_000
    const found = seeds
      .map((seed) =>
        driftsIn(
          verdicts(seed, { accuracy, count }, { accuracy: accuracy - 0.1, count: 3_000 }),
        ).find(({ at }) => at >= count),
      )
      .map((drift) => (drift === undefined ? Number.POSITIVE_INFINITY : drift.at - count))
      .sort((a, b) => a - b)
    assert.ok((found[seeds.length / 2] ?? Number.POSITIVE_INFINITY) < 300, `${found}`)
  })
}

const quiet = [
  { name: 'nothing is wrong, ever', errors: () => false },
  { name: 'all is wrong, always', errors: () => true },
  { name: 'it gets better', errors: (i: number) => i % (i < 500 ? 2 : 5) === 0 },
  { name: 'it is as bad as before', errors: (i: number) => i % 3 === 0 },
]

for (const { name, errors } of quiet)
  test(`no drift: ${name}`, () => {
    const stream = Array.from({ length: 3_000 }, (_, i) => errors(i))
    assert.deepEqual(driftsIn(stream), [])
    assert.deepEqual(driftsIn(stream, expertDrift), [])
  })

test('a drift says from where to where and since when; the new rate is then the reference', () => {
  const stream = Array.from({ length: 3_000 }, (_, i) => i % (i < 1_000 ? 10 : 2) === 0)
  const [drift, ...more] = driftsIn(stream)
  assert.deepEqual(more, [])
  assert.ok(drift !== undefined && drift.at > 1_000 && drift.at < 1_050)
  assert.ok(Math.abs(drift.before - 0.1) < 0.01 && Math.abs(drift.since - 0.5) < 0.15)
  assert.ok(Math.abs(drift.at - drift.verdicts - 1_000) < 20)
})
