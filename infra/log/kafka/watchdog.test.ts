import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { silentLogger } from '../../logger.ts'
import type { Fault, MemberReading, PartitionReading } from './watch.ts'
import { createWatchdog, type Watchdog } from './watchdog.ts'

const stuck: PartitionReading = {
  topic: 'posts',
  partition: 3,
  next: 5,
  end: 9,
  busy: false,
  paused: false,
}
const member = (...assigned: PartitionReading[]): MemberReading => ({ assigned, crashed: false })
const crashed: MemberReading = { assigned: undefined, crashed: true }
const joining: MemberReading = { assigned: undefined, crashed: false }

/** A watchdog that looks when it is told to, at times given, at what it is given. */
function watchdogOver(): {
  readonly watchdog: Watchdog
  readonly replaced: Fault[]
  look(reading: MemberReading, times?: number): Promise<void>
} {
  let now = 0
  let reading: MemberReading = member()
  const replaced: Fault[] = []
  const watchdog = createWatchdog({
    group: 'readers',
    read: async () => reading,
    replace: (fault) => replaced.push(fault),
    clock: () => now,
    logger: silentLogger,
    checkEveryMs: 3_600_000,
    failAfterMs: 200,
    limits: { stallMs: 30, assignmentMs: 60, crashMs: 10, settleMs: 30, maxStepMs: 20 },
  })
  return {
    watchdog,
    replaced,
    async look(next, times = 1) {
      reading = next
      for (let i = 0; i < times; i += 1) {
        now += 10
        watchdog.wake()
        await turn()
      }
    },
  }
}

describe('the watchdog', () => {
  it('replaces a member that stands, counts it, and tells what the lag is', async (t) => {
    const { watchdog, replaced, look } = watchdogOver()
    watchdog.start()
    t.after(() => watchdog.stop())
    await look(member(stuck), 4)
    assert.deepEqual(replaced, [])
    assert.deepEqual(watchdog.stats(), {
      group: 'readers',
      partitions: [{ topic: 'posts', partition: 3, state: 'behind', lag: 4 }],
      replacements: { crashed: 0, unassigned: 0, stalled: 0 },
    })
    await look(member(stuck))
    assert.deepEqual(replaced, ['stalled'])
    assert.equal(watchdog.stats().replacements.stalled, 1)
  })

  it('fails health when new members do not help for long, until one works', async (t) => {
    const { watchdog, replaced, look } = watchdogOver()
    watchdog.start()
    t.after(() => watchdog.stop())
    await look(member(stuck), 20)
    assert.deepEqual([replaced.length, watchdog.health()], [2, undefined])
    await look(member(stuck), 20)
    assert.match(String(watchdog.health()), /readers has read nothing of posts\/3 for 0 s: 3 new/)
    await look(member({ ...stuck, next: 6, end: 9 }))
    assert.equal(watchdog.health(), undefined)
  })

  it('looks again when it is told that the member gave up', async (t) => {
    const { watchdog, replaced, look } = watchdogOver()
    watchdog.start()
    t.after(() => watchdog.stop())
    await look(member(stuck))
    await look(crashed)
    assert.deepEqual(replaced, ['crashed'])
  })

  const failures: { name: string; input: MemberReading; expected: RegExp }[] = [
    {
      name: 'an end that stays unknown',
      input: member({ ...stuck, end: undefined }),
      expected: /How far the group readers is behind in posts\/3 could not be asked/,
    },
    {
      name: 'a group without partitions for it',
      input: joining,
      expected: /The group readers has read nothing for/,
    },
  ]
  for (const { name, input, expected } of failures)
    it(`fails health for ${name}, but not at once`, async (t) => {
      const { watchdog, look } = watchdogOver()
      watchdog.start()
      t.after(() => watchdog.stop())
      await look(input, 4)
      assert.equal(watchdog.health(), undefined)
      await look(input, 20)
      assert.match(String(watchdog.health()), expected)
    })

  it('does nothing after it was stopped', async () => {
    const { watchdog, replaced, look } = watchdogOver()
    watchdog.start()
    await look(member(stuck), 4)
    watchdog.stop()
    await look(member(stuck), 9)
    assert.deepEqual(replaced, [])
  })
})
