import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Gate } from './gate.ts'

/** A piece of work that ends when it is told to. */
function work(events: string[], name: string) {
  let end: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const run = async () => {
    events.push(`${name} begins`)
    await ended
    events.push(`${name} ends`)
  }
  return { run, end }
}

const never = new AbortController().signal

describe('Gate', () => {
  it('waits for those inside, and lets nobody in while it is closed', async () => {
    const events: string[] = []
    const [first, second, switching, late] = ['first', 'second', 'switching', 'late'].map((name) =>
      work(events, name),
    )
    assert.ok(first && second && switching && late)
    const gate = new Gate()
    const all = [gate.pass(first.run, never), gate.pass(second.run, never)]
    all.push(gate.close(switching.run, never), gate.pass(late.run, never))
    second.end()
    await all[1]
    assert.deepEqual(events, ['first begins', 'second begins', 'second ends'])
    first.end()
    await all[0]
    late.end()
    switching.end()
    await Promise.all(all)
    assert.deepEqual(events.slice(3), [
      'first ends',
      'switching begins',
      'switching ends',
      'late begins',
      'late ends',
    ])
  })

  it('opens again after a failure, and closes for one at a time', async () => {
    const gate = new Gate()
    await assert.rejects(
      gate.close(async () => {
        throw new Error('no')
      }, never),
      /no/,
    )
    const events: string[] = []
    const [a, b] = [work(events, 'a'), work(events, 'b')]
    const both = [gate.close(a.run, never), gate.close(b.run, never)]
    b.end()
    a.end()
    await Promise.all(both)
    assert.deepEqual(events, ['a begins', 'a ends', 'b begins', 'b ends'])
    assert.equal(await gate.pass(async () => 1, never), 1)
  })

  it('opens when the signal is aborted, whether it waits for those inside or for the work', async () => {
    const events: string[] = []
    for (const isBusy of [true, false]) {
      const gate = new Gate()
      const [inside, switching] = [work(events, 'inside'), work(events, 'switching')]
      const passing = isBusy ? gate.pass(inside.run, never) : undefined
      const late = new AbortController()
      const closing = assert.rejects(gate.close(switching.run, late.signal), { message: 'late' })
      const waiting = gate.pass(async () => 'passed', never)
      await new Promise(setImmediate)
      late.abort(new Error('late'))
      await closing
      assert.equal(await waiting, 'passed')
      inside.end()
      await passing
    }
    assert.deepEqual(events, ['inside begins', 'inside ends', 'switching begins'])
  })

  it('lets go of whoever does not want to wait any more', async () => {
    const gate = new Gate()
    const switching = work([], 'switching')
    const closing = gate.close(switching.run, never)
    const stopping = new AbortController()
    const waiting = assert.rejects(
      gate.pass(async () => 1, stopping.signal),
      { message: 'stop' },
    )
    stopping.abort(new Error('stop'))
    await waiting
    switching.end()
    await closing
  })
})
