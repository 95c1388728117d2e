import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Queued, TextQueue } from './queue.ts'

interface Waiting extends Queued {
  readonly name: string
}

let arrivals = 0

function waiting(name: string, from: Partial<Queued> = {}): Waiting {
  const arrival = arrivals++
  return { name, priority: 'live', deadline: 1_000, bytes: 10, arrival, ...from }
}

const names = (texts: readonly Waiting[]) => texts.map(({ name }) => name)
const all = { texts: 1_000, bytes: 100_000 }

describe('the queue of texts', () => {
  const orders = [
    { name: 'live before history', first: {}, second: { priority: 'history', deadline: 1 } },
    { name: 'the nearer deadline', first: { deadline: 5 }, second: { deadline: 6 } },
    {
      name: 'the one that came first',
      first: { arrival: 1, deadline: Number.POSITIVE_INFINITY },
      second: { arrival: 2, deadline: Number.POSITIVE_INFINITY },
    },
  ] as const

  for (const { name, first, second } of orders)
    it(`gives ${name} first`, () => {
      for (const order of [
        ['first', 'second'],
        ['second', 'first'],
      ]) {
        const queue = new TextQueue<Waiting>(all)
        for (const which of order)
          queue.add([which === 'first' ? waiting('first', first) : waiting('second', second)])
        assert.deepEqual(names(queue.take(all)), ['first', 'second'])
      }
    })

  it('takes a call whole or not at all', () => {
    const queue = new TextQueue<Waiting>({ texts: 3, bytes: 100 })
    assert.equal(queue.add([waiting('a'), waiting('b')]), undefined)
    const refusal = queue.add([waiting('c'), waiting('d')])
    assert.equal(refusal?.code, 'OVERLOADED')
    assert.equal(refusal?.retryable, true)
    assert.equal(queue.add([waiting('e', { bytes: 81 })])?.code, 'OVERLOADED')
    assert.equal(queue.add([waiting('f', { bytes: 80 })]), undefined)
    assert.deepEqual([queue.texts, queue.bytes], [3, 100])
    assert.deepEqual(names(queue.take(all)), ['a', 'b', 'f'])
  })

  it('says of a call that never fits that asking again does not help', () => {
    const queue = new TextQueue<Waiting>({ texts: 1, bytes: 100 })
    for (const call of [[waiting('a'), waiting('b')], [waiting('c', { bytes: 101 })]])
      assert.equal(queue.add(call)?.retryable, false)
  })

  it('takes back what it gave, beyond its bound', () => {
    const queue = new TextQueue<Waiting>({ texts: 1, bytes: 10 })
    queue.add([waiting('a')])
    const taken = queue.take(all)
    queue.add([waiting('b')])
    queue.putBack(taken)
    assert.deepEqual(names(queue.take(all)), ['a', 'b'])
  })

  it('gives one text that is larger than a job', () => {
    const queue = new TextQueue<Waiting>(all)
    queue.add([waiting('a', { bytes: 500 }), waiting('b')])
    assert.deepEqual(names(queue.take({ texts: 5, bytes: 100 })), ['a'])
  })
})

type Step =
  | { readonly type: 'add'; readonly call: readonly Omit<Waiting, 'name' | 'arrival'>[] }
  | { readonly type: 'take'; readonly texts: number; readonly bytes: number }
  | { readonly type: 'putBack'; readonly count: number }
  | { readonly type: 'expire'; readonly now: number }
  | { readonly type: 'remove'; readonly bytes: number }

const deadline = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(Number.POSITIVE_INFINITY))
const call = fc.array(
  fc.record({
    priority: fc.constantFrom('live', 'history'),
    deadline,
    bytes: fc.integer({ min: 0, max: 9 }),
  }),
  { maxLength: 6 },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('add'), call }),
  fc.record({ type: fc.constant('take'), texts: fc.nat(5), bytes: fc.nat(20) }),
  fc.record({ type: fc.constant('putBack'), count: fc.nat(5) }),
  fc.record({ type: fc.constant('expire'), now: fc.nat(9) }),
  fc.record({ type: fc.constant('remove'), bytes: fc.nat(9) }),
)

const limits = { texts: 12, bytes: 60 }
const bytesOf = (texts: readonly Queued[]) => texts.reduce((sum, { bytes }) => sum + bytes, 0)

function byUrgency(a: Queued, b: Queued): number {
  if (a.priority !== b.priority) return a.priority === 'live' ? -1 : 1
  return a.deadline === b.deadline ? a.arrival - b.arrival : a.deadline - b.deadline
}

/** What the queue promises, by sorting an array at every step. */
function takeFrom(model: readonly Waiting[], texts: number, bytes: number): Waiting[] {
  const sorted = [...model].sort(byUrgency)
  const fits = (count: number) => count === 1 || bytesOf(sorted.slice(0, count)) <= bytes
  const count = sorted.slice(0, texts).filter((_, i) => fits(i + 1)).length
  return sorted.slice(0, count)
}

describe('the queue, whatever is done to it', () => {
  it('does what an array that is sorted at every step does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const queue = new TextQueue<Waiting>(limits)
        let model: Waiting[] = []
        const out: Waiting[] = []
        const remove = (removed: readonly Waiting[]) => {
          model = model.filter((text) => !removed.includes(text))
        }
        for (const next of steps) {
          if (next.type === 'add') {
            const texts = next.call.map((text) => waiting('', text))
            const bytes = bytesOf(model) + bytesOf(texts)
            const fits = model.length + texts.length <= limits.texts && bytes <= limits.bytes
            assert.equal(queue.add(texts)?.code, fits ? undefined : 'OVERLOADED')
            if (fits) model.push(...texts)
          } else if (next.type === 'take') {
            const expected = takeFrom(model, next.texts, next.bytes)
            assert.deepEqual(queue.take(next), expected)
            out.push(...expected)
            remove(expected)
          } else if (next.type === 'putBack') {
            const back = out.splice(0, next.count)
            queue.putBack(back)
            model.push(...back)
          } else if (next.type === 'remove') {
            const isSo = ({ bytes }: Queued) => bytes === next.bytes
            const removed = queue.remove(isSo)
            assert.deepEqual(new Set(removed), new Set(model.filter(isSo)))
            remove(removed)
          } else {
            const late = model.filter((text) => text.deadline <= next.now)
            assert.deepEqual(new Set(queue.expire(next.now)), new Set(late))
            remove(late)
          }
          assert.equal(queue.texts, model.length)
          assert.equal(queue.bytes, bytesOf(model))
          const first = Math.min(...model.map((text) => text.deadline))
          assert.equal(queue.nextDeadline(), first)
        }
        assert.deepEqual(new Set(queue.clear()), new Set(model))
        assert.deepEqual([queue.texts, queue.bytes], [0, 0])
      }),
    )
  })
})
