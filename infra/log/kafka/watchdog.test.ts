import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silentLogger } from '../../logger.ts'
import type { MemberReading, PartitionReading } from './watch.ts'
import { Watchdog } from './watchdog.ts'

const stuck: PartitionReading = {
  topic: 'posts',
  partition: 3,
  next: 5,
  handled: 5,
  end: 9,
  paused: false,
}

/** Looks every 10 ms. */
function watching(): {
  readonly watchdog: Watchdog
  /** How often it asked for another member. */
  look(reading: MemberReading, times?: number): number
} {
  let now = 0
  const watchdog = new Watchdog({
    group: 'readers',
    monotonic: () => now,
    logger: silentLogger,
    limits: { stallMs: 30, assignmentMs: 60, settleMs: 30, failAfterMs: 200 },
  })
  return {
    watchdog,
    look(reading, times = 1) {
      let replacements = 0
      for (let i = 0; i < times; i += 1) {
        now += 10
        if (watchdog.look(reading)) replacements += 1
      }
      return replacements
    },
  }
}

describe('the watchdog', () => {
  it('asks for another member when one stands, and counts it', () => {
    const { watchdog, look } = watching()
    assert.equal(look([stuck], 4), 0)
    assert.equal(look([stuck]), 1)
    assert.deepEqual(watchdog.stats().replacements, { ended: 0, unassigned: 0, stalled: 1 })
  })

  it('counts what others replaced, and waits longer after it', () => {
    const { watchdog, look } = watching()
    watchdog.replaced('ended')
    assert.equal(look([stuck], 7), 0)
    assert.equal(look([stuck]), 1)
    assert.deepEqual(watchdog.stats().replacements, { ended: 1, unassigned: 0, stalled: 1 })
  })

  it('fails health when new members do not help for long, until one works', () => {
    const { watchdog, look } = watching()
    assert.equal(look([stuck], 20), 2)
    assert.equal(watchdog.health(), undefined)
    look([stuck], 20)
    assert.match(String(watchdog.health()), /readers has read nothing of posts\/3 for 0 s; .*: 3/)
    look([{ ...stuck, next: 6, handled: 6 }])
    assert.equal(watchdog.health(), undefined)
  })

  const failures: { name: string; input: MemberReading; expected: RegExp }[] = [
    {
      name: 'an end that stays unknown',
      input: [{ ...stuck, end: undefined }],
      expected: /How far the group readers is behind in posts\/3 could not be asked/,
    },
    { name: 'a member that cannot join', input: 'joining', expected: /readers has read nothing/ },
    { name: 'a silent member', input: 'unassigned', expected: /readers has read nothing/ },
  ]
  for (const { name, input, expected } of failures)
    it(`fails health for ${name}, but not at once`, () => {
      const { watchdog, look } = watching()
      look(input, 4)
      assert.equal(watchdog.health(), undefined)
      look(input, 20)
      assert.match(String(watchdog.health()), expected)
    })
})
