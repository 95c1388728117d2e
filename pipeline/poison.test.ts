import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { answerApart, hitsEverything, type Trial } from './poison.ts'

const everything = new Error('everything fails')

/** Answers numbers with their doubles; negative ones are poison, and copies of one have the same text. */
function doubling(options: { readonly isDown?: boolean } = {}) {
  const calls: (readonly number[])[] = []
  const trial: Trial<number, number> = {
    async attempt(items) {
      calls.push(items)
      const poison = items.find((item) => item < 0)
      if (options.isDown) throw everything
      if (poison !== undefined) throw new RangeError(`cannot double ${poison}`)
      return items.map((item) => 2 * item)
    },
    canBePoison: (error) => error instanceof RangeError || error === everything,
    witness: 1,
    textOf: String,
  }
  return { trial, calls }
}

const poisoned = (item: number) => ({ poison: new RangeError(`cannot double ${item}`) })

describe('answerApart', () => {
  it('tries a batch once when nothing is wrong with it', async () => {
    const { trial, calls } = doubling()
    assert.deepEqual(await answerApart([1, 2], trial), [{ answer: 2 }, { answer: 4 }])
    assert.equal(calls.length, 1)
  })

  it('answers all but the poison, whatever the batch', async () => {
    const batch = fc.array(fc.integer({ min: -3, max: 1_000 }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(batch, async (items) => {
        const findings = await answerApart(items, doubling().trial)
        assert.deepEqual(
          findings,
          items.map((item) => (item < 0 ? poisoned(item) : { answer: 2 * item })),
        )
      }),
    )
  })

  it('finds one poison in log2 steps', async () => {
    const { trial, calls } = doubling()
    const items = Array.from({ length: 256 }, (_, i) => (i === 77 ? -1 : i))
    const findings = await answerApart(items, trial)
    assert.equal(findings.filter((finding) => 'poison' in finding).length, 1)
    // The batch, the witness, two halves a step, and the poison once more.
    assert.equal(calls.length, 1 + 1 + 2 * Math.log2(256) + 1)
  })

  it('does not hold against an item what failed once', async () => {
    let failures = 2
    const trial: Trial<number, number> = {
      ...doubling().trial,
      async attempt(items) {
        if (items.includes(7) && failures-- > 0) throw new RangeError('chance')
        return items
      },
    }
    assert.deepEqual(await answerApart([7, 8], trial), [{ answer: 7 }, { answer: 8 }])
  })

  it('throws what hits the witness too, after two calls', async () => {
    const { trial, calls } = doubling({ isDown: true })
    await assert.rejects(answerApart([1, 2, 3], trial), everything)
    assert.equal(calls.length, 2)
  })

  it('throws at once what can be no item’s fault', async () => {
    const { trial, calls } = doubling({ isDown: true })
    await assert.rejects(answerApart([1], { ...trial, canBePoison: () => false }), everything)
    assert.equal(calls.length, 1)
  })

  it('throws when many different items fail and none is answered, in bounded calls', async () => {
    const { trial, calls } = doubling()
    const items = Array.from({ length: 1_024 }, (_, i) => -1 - i)
    await assert.rejects(answerApart(items, trial), { message: 'cannot double -1' })
    assert.ok(calls.length < 2 + 2 * (10 + 2 * hitsEverything), `${calls.length} calls`)
  })

  it('holds copies of one poison for poison, however many', async () => {
    const items = Array.from({ length: 100 }, () => -1)
    const findings = await answerApart(items, doubling().trial)
    assert.ok(findings.every((finding) => 'poison' in finding))
  })
})
