import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../infra/seeded-random.ts'
import { type Shift, ShiftDetector, shiftThreshold } from './shift-detector.ts'

const [blockPosts, referenceBlocks, windowBlocks] = [25, 40, 20]
const learningPosts = blockPosts * referenceBlocks
const windowPosts = blockPosts * windowBlocks
/** Of a look: low enough that a few hundred streams show the rate. */
const falseAlarms = 1e-3
const threshold = shiftThreshold({ falseAlarms, tests: 1, referenceBlocks })

function detector(leastDeviation = 0.01): ShiftDetector {
  return new ShiftDetector({ blockPosts, referenceBlocks, windowBlocks, threshold, leastDeviation })
}

function shiftsIn(values: Iterable<number>, watching = detector()): (Shift & { at: number })[] {
  const shifts: (Shift & { at: number })[] = []
  let at = 0
  for (const value of values) {
    at++
    const shift = watching.observe(value)
    if (shift !== undefined) shifts.push({ at, ...shift })
  }
  return shifts
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** AR(1) with variance 1: at 0.98 a post still says something of the one a block later. */
function* autoregressive(correlation: number, posts: number, seed: number): Generator<number> {
  const random = seededRandom(seed)
  let value = normal(random)
  for (let post = 0; post < posts; post++) {
    yield value
    value = correlation * value + Math.sqrt(1 - correlation ** 2) * normal(random)
  }
}

test('the threshold is a quantile of t, Bonferroni over the tests', () => {
  const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-3)
  near(shiftThreshold({ falseAlarms: 0.05, tests: 1, referenceBlocks: 40 }), 2.0227)
  near(shiftThreshold({ falseAlarms: 0.05, tests: 5, referenceBlocks: 40 }), 2.7079)
})

const steady = [
  { name: 'independent posts', correlation: 0 },
  { name: 'posts in bursts', correlation: 0.9 },
  { name: 'bursts longer than a block', correlation: 0.98 },
]

for (const { name, correlation } of steady)
  test(`where nothing changes alarms are as rare as set: ${name}`, () => {
    const streams = 200
    const posts = 5_000
    let alarms = 0
    for (let seed = 0; seed < streams; seed++)
      alarms += shiftsIn(autoregressive(correlation, posts, seed)).length
    const looks = streams * ((posts - learningPosts - windowPosts) / blockPosts)
    assert.ok(alarms <= looks * falseAlarms, `${alarms} in ${looks} looks`)
  })

test('a shift is found once, with both means, and becomes the reference', () => {
  const watching = detector()
  const before = [...autoregressive(0, 2_000, 1)]
  assert.deepEqual(shiftsIn(before, watching), [])
  const after = [...autoregressive(0, 4_000, 2)].map((value) => value + 1)
  const [shift, ...more] = shiftsIn(after, watching)
  assert.ok(shift !== undefined && shift.at <= windowPosts, `after ${shift?.at} posts`)
  assert.ok(Math.abs(shift.before) < 0.1 && shift.after > 0.2)
  assert.deepEqual(
    more.filter(({ at }) => at > 2 * windowPosts),
    [],
  )
  assert.equal(watching.state.phase, 'watching')
  assert.equal(watching.state.shifts, 1)
})

test('nothing is said before there is a reference and a window', () => {
  const watching = detector()
  assert.ok(Number.isNaN(watching.state.reference))
  const values = [...autoregressive(0, learningPosts + windowPosts - 1, 3)]
  assert.deepEqual(
    shiftsIn(
      values.map((value, i) => value + i),
      watching,
    ),
    [],
  )
  assert.equal(watching.state.phase, 'watching')
  assert.equal(watching.state.strain, 0)
})

test('a constant is no shift, and the least deviation is what another constant must exceed', () => {
  const constants = (value: number) => new Array<number>(2_000).fill(value)
  assert.deepEqual(shiftsIn([...constants(0.5), ...constants(0.5)]), [])
  assert.deepEqual(shiftsIn([...constants(0.5), ...constants(0.5001)]), [])
  assert.ok(shiftsIn([...constants(0.5), ...constants(0.6)]).length > 0)
})

test('a class that the reference lacks may come up now and then', () => {
  const random = seededRandom(4)
  const rare = Array.from({ length: 20_000 }, (_, i) => Number(i > 2_000 && random() < 0.005))
  assert.deepEqual(shiftsIn(rare, detector(0.14)), [])
})

test('means are those of the values', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
        minLength: learningPosts + windowPosts,
        maxLength: learningPosts + windowPosts,
      }),
      (values) => {
        const watching = detector(10)
        assert.deepEqual(shiftsIn(values, watching), [])
        const mean = (part: readonly number[]) => part.reduce((a, b) => a + b, 0) / part.length
        const { reference, window } = watching.state
        assert.ok(Math.abs(reference - mean(values.slice(0, learningPosts))) < 1e-9)
        assert.ok(Math.abs(window - mean(values.slice(learningPosts))) < 1e-9)
      },
    ),
    { numRuns: 20 },
  )
})
