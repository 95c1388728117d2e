import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HeartbeatWatch } from './heartbeat-watch.ts'

const table = [
  { name: 'heard of all the time', heardAt: [1_000, 2_000, 3_000, 4_000], asked: 4_500, misses: 0 },
  { name: 'not heard of any more', heardAt: [1_000], asked: 5_000, misses: 1 },
  { name: 'never heard of', heardAt: [], asked: 8_000, misses: 2 },
]

describe('the heartbeats of a member with a session of 10 s', () => {
  for (const { name, heardAt, asked, misses } of table)
    it(`${name}: missed ${misses} times`, () => {
      let now = 0
      const watch = new HeartbeatWatch(10_000, () => now)
      let missed = 0
      for (; now <= asked; now += 100) {
        if (heardAt.includes(now)) watch.heard()
        if (watch.areMissed()) missed += 1
      }
      assert.equal(missed, misses)
    })

  it('are not missed by a process that wakes up, until they fail', () => {
    let now = 0
    const watch = new HeartbeatWatch(10_000, () => now)
    now = 60_000
    assert.equal(watch.areMissed(), false)
    now += 1_000
    assert.equal(watch.areMissed(), false)
    now += 250
    assert.equal(watch.areMissed(), true)
    assert.equal(watch.areMissed(), false)
  })
})
