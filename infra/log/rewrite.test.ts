import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openTestLog, temporaryFolder } from './embedded-log.fixture.ts'
import { readAll } from './read-records.ts'

const topic = 'posts'

describe('rewriting records of the embedded log', () => {
  it('changes values and nothing else, also over a restart and beside appends', async () => {
    const path = temporaryFolder()
    const clock = { now: 1_000 }
    let log = openTestLog(path, clock)
    await log.ensureTopics([{ name: topic, partitions: 1 }])
    const values = fc.array(fc.tuple(fc.string(), fc.boolean()), { minLength: 1, maxLength: 50 })
    await fc.assert(
      fc.asyncProperty(values, fc.string(), async (drawn, replacement) => {
        clock.now += 10
        const [first] = await log.append(
          topic,
          drawn.map(([value, isChosen]) => ({ key: isChosen ? 'chosen' : null, value })),
        )
        const before = await readAll(log, topic)
        const isChosen = (offset: number) => drawn[offset - (first?.offset ?? 0)]?.[1] ?? false
        const [rewritten] = await Promise.all([
          log.rewrite(topic, ({ offset }) => (isChosen(offset) ? replacement : undefined)),
          log.append(topic, [{ key: null, value: 'meanwhile' }]),
        ])
        assert.equal(rewritten, drawn.filter(([, chosen]) => chosen).length)
        await log.close()
        log = openTestLog(path, clock)
        const after = await readAll(log, topic)
        assert.deepEqual(
          after.slice(0, before.length),
          before.map((record) =>
            isChosen(record.offset)
              ? { ...record, value: Buffer.from(replacement.toWellFormed()) }
              : record,
          ),
        )
        assert.equal(after.length, before.length + 1)
      }),
      { numRuns: 10 },
    )
    await log.close()
  })

  it('keeps count of bytes, so that retention by size still holds', async () => {
    const log = openTestLog(temporaryFolder())
    await log.ensureTopics([{ name: topic, partitions: 1, retentionBytes: 1_000 }])
    const record = { key: null, value: 'x'.repeat(88) }
    await log.append(
      topic,
      Array.from({ length: 10 }, () => record),
    )
    await log.rewrite(topic, () => '')
    await log.append(
      topic,
      Array.from({ length: 8 }, () => record),
    )
    assert.deepEqual(await log.beginningOffsets(topic), [0])
    await log.close()
  })

  it('refuses an unknown topic, and a closed log', async () => {
    const log = openTestLog(temporaryFolder())
    await assert.rejects(
      log.rewrite('nope', () => ''),
      { code: 'LOG' },
    )
    await log.close()
    await assert.rejects(
      log.rewrite(topic, () => ''),
      { code: 'LOG' },
    )
  })
})
