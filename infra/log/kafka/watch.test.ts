import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  afterReplacement,
  beginWatch,
  look,
  type MemberReading,
  type PartitionReading,
  type Watch,
  type WatchLimits,
} from './watch.ts'

const limits: WatchLimits = {
  stallMs: 30,
  assignmentMs: 60,
  settleMs: 30,
  maxStepMs: 20,
  maxDoublings: 3,
}

type Sketch =
  | Partial<Pick<PartitionReading, 'next' | 'end' | 'paused'> & { readonly busy: boolean }>
  | 'joining'
  | 'unassigned'

const partition = (sketch: Exclude<Sketch, string>, number = 0): PartitionReading => {
  const { busy = false, ...changes } = sketch
  const { next, end, paused } = { next: 5, end: 9, paused: false, ...changes }
  const handled = busy && next !== undefined ? next - 1 : next
  return { topic: 'posts', partition: number, next, end, paused, handled }
}

const reading = (sketch: Sketch): MemberReading =>
  typeof sketch === 'string' ? sketch : [partition(sketch)]

/** A reading every 10 ms from 10 on. */
const watchAll = (sketches: readonly Sketch[], begin: Watch = beginWatch(0)): Watch =>
  sketches.reduce<Watch>(
    (watch, sketch) => look(watch, reading(sketch), watch.at + 10, limits),
    begin,
  )

const times = <T>(count: number, value: T): T[] => Array(count).fill(value)

describe('a partition', () => {
  const cases: {
    name: string
    input: Sketch[]
    expected: [string, number | undefined, string?]
  }[] = [
    { name: 'stands for as long as it may', input: times(4, {}), expected: ['behind', 4] },
    { name: 'stands for longer', input: times(5, {}), expected: ['stalled', 4, 'stalled'] },
    {
      name: 'stands while its lag grows',
      input: [6, 7, 8, 9, 10].map((end) => ({ end })),
      expected: ['stalled', 5, 'stalled'],
    },
    {
      name: 'moves, however far behind',
      input: [1, 2, 3, 4, 5, 6, 7].map((next) => ({ next, end: 1_000_000 })),
      expected: ['moving', 999_993],
    },
    {
      name: 'moves once in between',
      input: [...times(4, {}), ...times(4, { next: 6 })],
      expected: ['behind', 3],
    },
    { name: 'has nothing left', input: times(9, { next: 9 }), expected: ['caught-up', 0] },
    { name: 'waits beyond its end', input: times(9, { next: 12 }), expected: ['caught-up', 0] },
    { name: 'is paused', input: times(9, { paused: true }), expected: ['paused', 4] },
    { name: 'has a batch in hand', input: times(9, { busy: true }), expected: ['busy', 5] },
    {
      name: 'has no start yet',
      input: times(9, { next: undefined }),
      expected: ['busy', undefined],
    },
    {
      name: 'stands again after a pause, from then on',
      input: [...times(9, { paused: true }), ...times(4, {})],
      expected: ['behind', 4],
    },
    {
      name: 'has an unknown end: no lag, and no stall however long',
      input: times(99, { end: undefined }),
      expected: ['unknown', undefined],
    },
    {
      name: 'has an end again, after which it may stand as long as ever',
      input: [...times(4, {}), { end: undefined }, ...times(4, {})],
      expected: ['behind', 4],
    },
  ]
  for (const { name, input, expected } of cases)
    it(name, () => {
      const { partitions, fault } = watchAll(input)
      const [state, lag, expectedFault] = expected
      assert.deepEqual(
        [partitions[0]?.state, partitions[0]?.lag, fault],
        [state, lag, expectedFault],
      )
    })
})

describe('a member', () => {
  const cases: { name: string; input: Sketch[]; expected: string | undefined }[] = [
    { name: 'may wait for partitions', input: times(6, 'unassigned'), expected: undefined },
    { name: 'waits too long', input: times(7, 'unassigned'), expected: 'unassigned' },
    {
      name: 'waits anew at every rebalance',
      input: [...times(6, 'unassigned' as const), {}, ...times(6, 'unassigned' as const)],
      expected: undefined,
    },
    { name: 'is not replaced while it joins', input: times(99, 'joining'), expected: undefined },
  ]
  for (const { name, input, expected } of cases)
    it(name, () => assert.equal(watchAll(input).fault, expected))

  it('without partitions is no fault: others have them', () => {
    let watch = beginWatch(0)
    for (let at = 10; at < 1_000; at += 10) watch = look(watch, [], at, limits)
    assert.equal(watch.fault, undefined)
  })

  it('is stalled when one of its partitions is', () => {
    let watch = beginWatch(0)
    for (let at = 10; at <= 50; at += 10)
      watch = look(watch, [partition({ next: at, end: 999 }), partition({}, 1)], at, limits)
    assert.deepEqual(
      watch.partitions.map(({ state }) => state),
      ['moving', 'stalled'],
    )
    assert.equal(watch.fault, 'stalled')
  })

  it('is not blamed for the time its process was suspended, nor for a clock that jumps', () => {
    const before = watchAll(times(2, {}))
    for (const jump of [3_600_000, -3_600_000])
      assert.equal(look(before, reading({}), before.at + jump, limits).fault, undefined)
  })
})

describe('replacements', () => {
  /** How many readings a member gets until it is replaced. */
  function readingsUntilFault(begin: Watch, sketch: Sketch): [number, Watch] {
    let watch = begin
    for (let count = 1; count < 1_000; count += 1) {
      watch = look(watch, reading(sketch), watch.at + 10, limits)
      if (watch.fault !== undefined) return [count, afterReplacement(watch, watch.at)]
    }
    return [Number.POSITIVE_INFINITY, watch]
  }

  const cases: { name: string; input: Sketch; expected: number[] }[] = [
    { name: 'of stalled members', input: {}, expected: [5, 8, 14, 26, 26] },
    { name: 'of members without partitions', input: 'unassigned', expected: [7, 13, 25, 49, 49] },
  ]
  for (const { name, input, expected } of cases)
    it(`${name} back off`, () => {
      let watch = beginWatch(0)
      const counts = expected.map(() => {
        const [count, after] = readingsUntilFault(watch, input)
        watch = after
        return count
      })
      assert.deepEqual(counts, expected)
      assert.equal(watch.fruitless, expected.length)
    })

  const [, replaced] = readingsUntilFault(beginWatch(0), { next: 5 })
  const ends: { name: string; input: MemberReading[]; expected: number }[] = [
    {
      name: 'further than ever',
      input: times(3, [partition({ next: 6, busy: true })]),
      expected: 0,
    },
    { name: 'to the end', input: times(3, [partition({ next: 5, end: 5 })]), expected: 0 },
    { name: 'to others', input: times(3, [partition({ busy: true }, 1)]), expected: 0 },
    {
      name: 'further, but not for long',
      input: times(2, [partition({ next: 6, busy: true })]),
      expected: 1,
    },
    {
      name: 'only to where the last one stood',
      input: [3, 4, 5, 5, 5].map((next) => [partition({ next })]),
      expected: 1,
    },
    {
      name: 'further, where it stands again',
      input: times(9, [partition({ next: 6 })]),
      expected: 1,
    },
    {
      name: 'nowhere yet: it is asked where to start',
      input: times(9, [partition({ next: undefined })]),
      expected: 1,
    },
    { name: 'into another rebalance', input: times(3, 'joining' as const), expected: 1 },
  ]
  for (const { name, input, expected } of ends)
    it(`bring the partition ${name}: ${expected} in a row`, () => {
      const after = input.reduce<Watch>(
        (watch, member) => look(watch, member, watch.at + 10, limits),
        replaced,
      )
      assert.equal(after.fruitless, expected)
    })
})

describe('any sequence of readings', () => {
  const sketch = fc.oneof(
    fc.constantFrom<Sketch>('joining', 'unassigned'),
    fc.record({
      next: fc.nat(3),
      end: fc.option(fc.integer({ min: 2, max: 5 }), { nil: undefined }),
      busy: fc.boolean(),
      paused: fc.boolean(),
    }),
  )
  const sketches = fc
    .array(fc.tuple(sketch, fc.integer({ min: 1, max: 7 })), { maxLength: 10 })
    .map((runs) => runs.flatMap(([same, count]) => times(count, same)))

  it('calls nothing stalled that did not stand behind a known end for longer than allowed', () => {
    fc.assert(
      fc.property(sketches, (input) => {
        const { partitions } = watchAll(input)
        if (partitions[0]?.state !== 'stalled') return
        const last = input.slice(-5)
        assert.equal(last.length, 5)
        for (const sketch of last) {
          if (typeof sketch === 'string') return assert.fail(`${sketch} is no stall`)
          const { next = 0, end, busy, paused } = sketch
          assert.equal(next, partitions[0].next)
          assert.ok(end !== undefined && end > next && !busy && !paused)
        }
      }),
    )
  })

  it('gives a lag exactly where the end is known', () => {
    fc.assert(
      fc.property(sketches, (input) => {
        const [known] = watchAll(input).partitions
        const last = input.at(-1)
        const end = typeof last === 'object' ? last.end : undefined
        assert.equal(known?.lag !== undefined, end !== undefined)
      }),
    )
  })
})
