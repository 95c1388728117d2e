/** A partition that comes and goes, on the real engine, by the hand of the test. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../infra/errors.ts'
import { type Deferred, deferred } from '../infra/log/log.fixture.ts'
import type { Log } from '../infra/log/log.ts'
import { temporaryFolder } from '../infra/store/analyses.fixture.ts'
import { checkContinuity } from '../infra/store/continuity.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import { logTopicOf } from '../infra/store/epochs.ts'
import type { Store } from '../infra/store/store.ts'
import type { Analyst } from './allocator/analyst.ts'
import { pipelineOn, steadyAnalyst } from './pipeline.fixture.ts'
import type { Pipeline, PipelineDeps } from './pipeline.ts'
import { Member, ScriptedLog } from './scripted-group.fixture.ts'

const noon = Date.parse('2026-11-24T12:00:00Z')

describe('generations of a partition', () => {
  const folder = temporaryFolder()
  let store: Store
  let epochs = 0
  const running: Pipeline[] = []

  before(async () => {
    store = await openEmbeddedStore({ path: folder.path })
    await store.command(
      'ALTER TABLE analyses MODIFY SETTING non_replicated_deduplication_window = 5',
    )
  })
  after(async () => {
    await Promise.all(running.map((pipeline) => pipeline.stop()))
    await store.close()
    folder.remove()
  })

  /** A group on a log of its own. */
  function newGroup(partitions = 1) {
    const log = new ScriptedLog(partitions)
    const logTopic = logTopicOf('posts', epochs++)
    return {
      log,
      logTopic,
      async join(
        deps: Partial<PipelineDeps> = {},
        through: (log: Log) => Log = (own) => own,
      ): Promise<Member> {
        const member = new Member(log)
        const pipeline = pipelineOn({ log: through(member.log), store, logTopic, ...deps })
        running.push(pipeline)
        await pipeline.start()
        return member
      },
      async rows(): Promise<[offset: number, outcome: string, post: string, at: number][]> {
        assert.deepEqual(await checkContinuity(store, logTopic), [])
        const found = await store.query<{ o: number; outcome: string; id: string; at: number }>(
          'SELECT offset AS o, outcome, post_id AS id, toUnixTimestamp64Milli(appended_at) AS at FROM analyses WHERE log_topic = {logTopic:String} AND ordinal = 0 ORDER BY partition, offset',
          { logTopic },
        )
        return found.map(({ o, outcome, id, at }) => [o, outcome, id, at - noon])
      },
    }
  }

  /** Judges when it is told to. */
  function slowAnalyst(): { analyst: Analyst; asked: Promise<void>; answer: Deferred<void> } {
    const { judge, close } = steadyAnalyst()
    const [asked, answer] = [deferred(), deferred()]
    const analyst: Analyst = {
      close,
      async judge(posts, call) {
        asked.resolve()
        await answer.promise
        return judge(posts, call)
      },
    }
    return { analyst, asked: asked.promise, answer }
  }

  it('what a lost one still judges is dropped at once: neither stored, nor shown, nor committed', async () => {
    const group = newGroup()
    group.log.put(0, 'a', noon)
    const { analyst, asked, answer } = slowAnalyst()
    const shown: unknown[] = []
    const member = await group.join({ analyst, onStored: (verdicts) => shown.push(...verdicts) })
    await member.assign(0)
    const delivered = member.deliver(0, 1)
    await asked
    member.tell(0)
    await delivered // though nobody has answered
    answer.resolve()
    assert.deepEqual([await group.rows(), member.commits, shown], [[], [], []])
    await member.assign(0)
    await member.deliver(0, 1)
    assert.deepEqual(await group.rows(), [[0, 'scored', 'a', 0]])
    assert.deepEqual(member.commits, [[0, 1]])
  })

  it('one that does not know that it is lost stores nothing twice, and the next reads the mark', async () => {
    const group = newGroup()
    for (const id of ['a', 'b', 'c']) group.log.put(0, id, noon)
    const { analyst, asked, answer } = slowAnalyst()
    const zombie = await group.join({ analyst })
    await zombie.assign(0)
    const late = zombie.deliver(0, 3)
    await asked
    const heir = await group.join()
    await heir.assign(0)
    await heir.deliver(0, 2)
    answer.resolve()
    await late
    await heir.deliver(0, 9)
    await zombie.assign(0)
    assert.equal(zombie.position(0), 2)
    assert.deepEqual(
      (await group.rows()).map(([, , id]) => id),
      ['a', 'b', 'c'],
    )
  })

  it('what another process stores while the ends of the log are asked for is no replaced log', async () => {
    const group = newGroup()
    group.log.put(0, 'a', noon)
    const first = await group.join()
    await first.assign(0)
    await first.deliver(0, 1)
    const second = await group.join({}, (log) => ({
      ...log,
      async endOffsets(topic) {
        const ends = [...(await log.endOffsets(topic))]
        group.log.put(0, `behind ${ends[0]}`, noon)
        await first.deliver(0, 1)
        return ends
      },
    }))
    await second.assign(0)
    assert.deepEqual([second.position(0), first.position(0)], [1, 3])
  })

  it('no row is older than the one before it, wherever reading begins', async () => {
    const group = newGroup()
    for (const [id, at] of Object.entries({ a: 0, b: 60_000, c: -5_000, d: 59_000, e: 61_000 }))
      group.log.put(0, id, noon + at)
    const member = await group.join()
    for (let offset = 0; offset < 5; offset += 1) {
      await member.assign(0)
      await member.deliver(0, 2)
    }
    assert.deepEqual(
      (await group.rows()).map(([, , , at]) => at),
      [0, 60_000, 60_000, 60_000, 61_000],
    )
  })

  it('a log that goes on without a word on some offsets ends the process', async () => {
    const group = newGroup()
    for (const id of ['a', 'b', 'c', 'd']) group.log.put(0, id, noon)
    const member = await group.join()
    await member.assign(0)
    await member.deliver(0, 1)
    await assert.rejects(member.deliver(0, 1, 2), (error) => {
      assert.ok(error instanceof AppError && error.code === 'LOG' && !error.retryable)
      assert.match(error.message, /went on at 2 of posts@\d+\/0 .* from 1 on/)
      return true
    })
    assert.equal((await group.rows()).length, 1)
  })

  it('a gap at the start of a log is as old as its first record', async () => {
    const group = newGroup()
    group.log.partitions[0]?.push(undefined, undefined)
    const member = await group.join()
    await member.assign(0)
    await member.deliver(0, 2)
    assert.deepEqual(await group.rows(), [])
    group.log.put(0, 'old', noon - 86_400_000)
    await member.deliver(0, 1)
    assert.deepEqual(await group.rows(), [
      [1, 'gap', '', -86_400_000],
      [2, 'scored', 'old', -86_400_000],
    ])
  })

  it('while no expert can judge, one partition asks again and the others are paused; nothing is lost', async () => {
    const group = newGroup(3)
    for (const partition of [0, 1, 2]) group.log.put(partition, `post ${partition}`, noon)
    const steady = steadyAnalyst()
    let isDown = true
    const analyst: Analyst = {
      ...steady,
      judge(posts, call) {
        if (!isDown) return steady.judge(posts, call)
        throw new AppError('NO_EXPERT', 'No expert could judge', { retryable: true })
      },
    }
    const health = new Map<number, unknown>()
    const member = await group.join({
      analyst,
      onHealth: (partition, error) => health.set(partition, error),
    })
    for (const partition of [0, 1, 2]) await member.assign(partition)
    await assert.rejects(member.deliver(1, 1), { code: 'NO_EXPERT' })
    assert.deepEqual([...member.paused].toSorted(), [0, 2])
    assert.ok(health.get(1) instanceof AppError)
    await assert.rejects(member.deliver(1, 1), { code: 'NO_EXPERT' })
    isDown = false
    await member.deliver(1, 1)
    assert.deepEqual([member.paused.size, health.get(1)], [0, undefined])
    for (const partition of [0, 2]) await member.deliver(partition, 1)
    assert.equal((await group.rows()).length, 3)
  })

  it('a start that fails is told by health until one succeeds or the partition is lost', async () => {
    const group = newGroup()
    const health = new Map<number, unknown>()
    let isDown = true
    const member = await group.join(
      { onHealth: (partition, error) => health.set(partition, error) },
      (own) => ({
        ...own,
        async beginningOffsets(topic) {
          if (isDown) throw new AppError('LOG', 'nobody answers', { retryable: true })
          return own.beginningOffsets(topic)
        },
      }),
    )
    await assert.rejects(member.assign(0), { code: 'LOG' })
    assert.ok(health.get(0) instanceof AppError)
    member.tell(0)
    assert.equal(health.get(0), undefined)
    await assert.rejects(member.assign(0), { code: 'LOG' })
    assert.ok(health.get(0) instanceof AppError)
    isDown = false
    await member.assign(0)
    assert.equal(health.get(0), undefined)
  })

  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('deliver'), count: fc.nat(4) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'assign', count: 0 }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'lose', count: 0 }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'tell', count: 0 }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('append'), count: fc.nat(4) }) },
  )
  const steps = fc.array(fc.record({ step, member: fc.nat(1) }), { minLength: 10, maxLength: 25 })

  it('however two processes get, lose and keep it, every offset is stored once, with the same times', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.infiniteStream(fc.integer({ min: -9, max: 9 })),
        async (plan, skew) => {
          const group = newGroup()
          const members = [await group.join(), await group.join()]
          const underWay = new Set<Promise<void>>()
          const times: number[] = []
          const append = (): void => {
            const jump: number = skew.next().value ?? 0
            const at = times.length + jump
            times.push(Math.max(at, times.at(-1) ?? at))
            group.log.put(0, `${group.logTopic} ${times.length}`, noon + at)
          }
          append()
          for (const { step, member: index } of plan) {
            const member = members[index]
            if (member === undefined) continue
            if (step.kind === 'append') append()
            if (step.kind === 'lose') member.lose(0)
            if (step.kind === 'tell') member.tell(0)
            if (step.kind === 'assign') await member.assign(0)
            // Some deliveries run into what comes next.
            const work = step.kind === 'deliver' ? member.deliver(0, 1 + step.count) : undefined
            if (work === undefined) continue
            underWay.add(work)
            if (step.count % 2 === 0) await work
          }
          await Promise.all(underWay)
          const [last] = members
          await last?.assign(0)
          await last?.deliver(0, times.length)
          assert.deepEqual(
            await group.rows(),
            times.map((at, offset) => [offset, 'scored', `${group.logTopic} ${offset + 1}`, at]),
          )
        },
      ),
      { numRuns: 10 },
    )
  })
})
