import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../errors.ts'
import type { NewRecord } from '../log.ts'
import { AppendQueue, checkRecordSizes } from './append-queue.ts'

const record = (value: string): NewRecord => ({ key: null, value })

describe('appends to one partition', () => {
  it('keep their order, go one send at a time and fit the limit, whatever fails', async () => {
    const calls = fc.array(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 }), {
      maxLength: 12,
    })
    const failing = fc.infiniteStream(fc.integer({ min: 0, max: 4 }))
    await fc.assert(
      fc.asyncProperty(calls, failing, async (lengths, luck) => {
        const stored: NewRecord[] = []
        let sending = 0
        const queue = new AppendQueue({
          maxBytes: 800,
          async send(records) {
            sending += 1
            assert.equal(sending, 1)
            const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
            assert.ok(records.length > 0 && bytes <= 800)
            await Promise.resolve()
            sending -= 1
            if (luck.next().value === 0) throw new AppError('LOG', 'lost', { retryable: true })
            const first = stored.length
            stored.push(...records)
            return first
          },
        })
        const made = lengths.map((call, i) => call.map((n, j) => record(`${i}/${j}`.padEnd(n))))
        const settled = await Promise.allSettled(made.map((records) => queue.append(records)))
        await queue.idle()
        settled.forEach((result, i) => {
          if (result.status === 'rejected') return
          assert.deepEqual(
            result.value.map((offset) => stored[offset]),
            made[i],
          )
        })
        const inOrder = made.flat()
        const places = stored.map((value) => inOrder.indexOf(value))
        assert.deepEqual(
          places,
          places.toSorted((a, b) => a - b),
        )
      }),
      { numRuns: 200 },
    )
  })

  it('of one turn share a send', async () => {
    const sends: number[] = []
    const queue = new AppendQueue({
      maxBytes: 10_000,
      send: async (records) => {
        sends.push(records.length)
        return 0
      },
    })
    const answers = await Promise.all([
      queue.append([record('a'), record('b')]),
      queue.append([record('c')]),
    ])
    assert.deepEqual([sends, answers], [[3], [[0, 1], [2]]])
  })

  it('of a record that never fits are refused', () => {
    assert.throws(() => checkRecordSizes('posts', [record('x'.repeat(1_000))], 1_000), {
      code: 'LOG',
      retryable: false,
    })
    checkRecordSizes('posts', [record('x'.repeat(800))], 1_000)
  })
})
